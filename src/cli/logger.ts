// Where the broker's own log goes on the command line: standard error, pretty for a person, JSON lines for a machine.
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { fieldsOf, type Logger } from '../base/log.ts';

export function makeLogger(options: { level: string; pretty: boolean }): Logger {
  const destination = options.pretty
    ? pretty({ destination: 2, sync: true, colorize: process.env['NO_COLOR'] === undefined, ignore: 'pid,hostname' })
    : pino.destination({ dest: 2, sync: true });
  const sink = pino({ level: options.level, base: null, serializers: { error: pino.stdSerializers.err } }, destination);
  return {
    debug: (message, details) => sink.debug(fieldsOf(details), message),
    info: (message, details) => sink.info(fieldsOf(details), message),
    warn: (message, details) => sink.warn(fieldsOf(details), message),
    error: (message, details) => sink.error(fieldsOf(details), message),
  };
}
