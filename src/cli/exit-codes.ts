// What the exit code of a command says. An interface: scripts and CI rely on it, docs/cli.md lists it.

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  unreachable: 5,
  partlyFailed: 6,
  checkSaidNo: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command cannot do what it was asked, in words for the person who typed it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** Stable, for scripts: `usage`, `topic-not-found`, `unreachable`, ... */
  readonly code: string;
  /** What to do about it; a line each. */
  readonly fix: readonly string[];

  constructor(exitCode: ExitCode, code: string, message: string, options: { fix?: readonly string[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.fix = options.fix ?? [];
  }
}

export const usageError = (message: string, ...fix: string[]): CommandError => new CommandError(exitCodes.usage, 'usage', message, { fix });
