// A logger that loads the real one with its first line. Lines wait until it is there; if the process has to end before
// that, `flushNow` writes them plainly.
import { writeSync } from 'node:fs';
import { fieldsOf, type Logger, type LogLevel } from '../base/log.ts';

export interface LazyLogger extends Logger {
  /** Writes what still waits, at once: the process ends. */
  flushNow(): void;
}

/** The levels of `log.level`, the most talkative first. */
const weights = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

export function lazyLogger(level: string, load: () => Promise<Logger>): LazyLogger {
  const least = weights.indexOf(level);
  let waiting: { level: LogLevel; message: string; details: unknown }[] = [];
  let logger: Logger | undefined;
  let loading: Promise<void> | undefined;

  const loadAndReplay = async (): Promise<void> => {
    const loaded = await load();
    for (const line of waiting) loaded[line.level](line.message, line.details);
    waiting = [];
    logger = loaded;
  };
  const flushNow = (): void => {
    const lines = waiting;
    waiting = [];
    try {
      for (const { level, message, details } of lines)
        writeSync(2, `${JSON.stringify({ level, msg: message, ...fieldsOf(details) }, plainErrors)}\n`);
    } catch {
      // a pipe that is full or closed: what ends the process is said afterwards, and must not be hidden by this
    }
  };
  const log = (level: LogLevel) => (message: string, details?: unknown) => {
    if (weights.indexOf(level) < least) return;
    if (logger !== undefined) {
      logger[level](message, details);
      return;
    }
    waiting.push({ level, message, details });
    loading ??= loadAndReplay().catch(flushNow);
  };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error'), flushNow };
}

const plainErrors = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Error ? { message: value.message, stack: value.stack } : value;
};
