// `start -- CMD`: runs a command against the broker, with its address in the environment, and hands back how it ended.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

export interface RunningCommand {
  /** The code of the command as a shell would give it: 128 and the signal's number when one ended it, 127 when it was not found. */
  readonly exitCode: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

export function runCommand(command: readonly string[], bootstrap: string): RunningCommand {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...process.env, KAFKA_BROKERS: bootstrap, BUCKETRIDER_BROKERS: bootstrap },
  });
  const endWithUs = (): boolean => child.kill('SIGTERM');
  process.once('exit', endWithUs); // the broker may fail while the command runs
  child.once('exit', () => process.off('exit', endWithUs));
  return { exitCode: endOf(child, program), kill: (signal) => void child.kill(signal) };
}

function endOf(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(
        `bucketrider: cannot run '${program}': ${error.code === 'ENOENT' ? 'there is no such command' : error.message}\n`,
      );
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
