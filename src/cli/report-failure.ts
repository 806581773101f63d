// From whatever a command threw to words on standard error and an exit code. The one place that knows both.
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts';

export interface Failure {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly fix: readonly string[];
}

export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommandError) return thrown;
  // By name: a command that has nothing to do with settings does not load them to report another failure.
  if (thrown instanceof Error && ['SettingsError', 'ConfigError'].includes(thrown.name))
    return { exitCode: exitCodes.usage, code: 'settings', message: thrown.message, fix: [] };
  return { exitCode: exitCodes.failure, code: codeOf(thrown), message: thrown instanceof Error ? thrown.message : String(thrown), fix: [] };
}

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'failed');

export function reportFailure({ message, fix }: Failure): void {
  process.stderr.write([`bucketrider: ${message}`, ...fix.map((line) => `  ${line}`), ''].join('\n'));
}
