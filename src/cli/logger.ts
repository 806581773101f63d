// Where the broker's own log goes on the command line: standard error, pretty for a person, JSON lines for a machine.
// Loaded with the first line that is logged: a start that has nothing to say does not pay for the library.
import { pino } from 'pino';
import { fieldsOf, type Logger } from '../base/log.ts';

export async function makeLogger(options: { level: string; pretty: boolean }): Promise<Logger> {
  const destination = options.pretty ? await prettyDestination() : pino.destination({ dest: 2, sync: true });
  destination.on('error', () => undefined); // whoever read standard error has gone; the broker goes on
  const sink = pino({ level: options.level, base: null, serializers: { error: pino.stdSerializers.err } }, destination);
  return {
    debug: (message, details) => sink.debug(fieldsOf(details), message),
    info: (message, details) => sink.info(fieldsOf(details), message),
    warn: (message, details) => sink.warn(fieldsOf(details), message),
    error: (message, details) => sink.error(fieldsOf(details), message),
  };
}

async function prettyDestination() {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination: 2, sync: true, colorize: process.env['NO_COLOR'] === undefined, ignore: 'pid,hostname' });
}
