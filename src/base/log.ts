// What the broker tells the people who run it. The interface all code logs through, one that says nothing, one that
// remembers for tests, and one that does not repeat itself. Where lines go, and how they look, is the command line's affair.

/** Figures and names that go with a line; an `error` among them is shown with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The message is constant text; what varies is in `details`: fields, or a thrown value of any type. */
export interface Logger {
  debug(message: string, details?: unknown): void;
  info(message: string, details?: unknown): void;
  warn(message: string, details?: unknown): void;
  error(message: string, details?: unknown): void;
}

export type LogLevel = keyof Logger;

const levels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Remembers every line, for tests. */
export class CollectingLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug(message: string, details?: unknown): void {
    this.lines.push({ level: 'debug', message, fields: fieldsOf(details) });
  }

  info(message: string, details?: unknown): void {
    this.lines.push({ level: 'info', message, fields: fieldsOf(details) });
  }

  warn(message: string, details?: unknown): void {
    this.lines.push({ level: 'warn', message, fields: fieldsOf(details) });
  }

  error(message: string, details?: unknown): void {
    this.lines.push({ level: 'error', message, fields: fieldsOf(details) });
  }

  /** The messages of one level, or of all. */
  messages(level?: LogLevel): string[] {
    return this.lines.filter((line) => level === undefined || line.level === level).map((line) => line.message);
  }
}

/** Details as fields: a thrown value becomes `error`, also when it is no Error. */
export function fieldsOf(details: unknown): LogFields {
  if (details === undefined) return {};
  if (details instanceof Error) return { error: details };
  if (typeof details === 'object' && details !== null && !Array.isArray(details)) return details as LogFields;
  return { error: new Error(`thrown: ${describe(details)}`) };
}

function describe(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  } catch {
    return typeof value; // a circle, or a bigint
  }
}

/** The logger with fields that stand on every line (a listener, a partition). */
export function withFields(logger: Logger, fields: LogFields): Logger {
  return mapped((level, message, details) => logger[level](message, { ...fields, ...fieldsOf(details) }));
}

/** Messages that are told apart at once; beyond it the oldest is forgotten. */
const MOST_MESSAGES = 256;

/**
 * Passes each message of a level on once in `everyMs`; the next one that passes carries in `repeated` how many were left out.
 * For what a client or a full disk can cause thousands of times a second. Errors count like the others.
 */
export function rateLimited(logger: Logger, options: { everyMs: number; monotonicMs: () => number }): Logger {
  const seen = new Map<string, { passedMs: number; repeated: number }>();
  return mapped((level, message, details) => {
    const key = `${level} ${message}`;
    const nowMs = options.monotonicMs();
    const known = seen.get(key);
    if (known !== undefined && nowMs - known.passedMs < options.everyMs) {
      known.repeated += 1;
      return;
    }
    seen.delete(key); // set again below: the map's order is that of the last passing
    if (seen.size >= MOST_MESSAGES) for (const oldest of seen.keys()) if (seen.size >= MOST_MESSAGES) seen.delete(oldest);
    seen.set(key, { passedMs: nowMs, repeated: 0 });
    if (known === undefined || known.repeated === 0) logger[level](message, details);
    else logger[level](message, { ...fieldsOf(details), repeated: known.repeated });
  });
}

function mapped(pass: (level: LogLevel, message: string, details: unknown) => void): Logger {
  const logger: Partial<Record<LogLevel, Logger[LogLevel]>> = {};
  for (const level of levels) logger[level] = (message, details) => pass(level, message, details);
  return logger as Logger;
}
