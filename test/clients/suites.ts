// The suites: for each client library, the program that drives it and what must be on the machine for it.
// Everything that is installed goes into a folder outside the checkout.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { ensurePythonEnvironment } from './python/environment.ts';

export interface SuiteDefinition {
  readonly name: string;
  /** Programs that must be found on PATH. */
  readonly needs: readonly string[];
  /** Brings what the suite runs on to the cache; fast when it is there. */
  readonly prepare?: () => void;
  readonly command: readonly [program: string, ...args: string[]];
  /** The checks are sentences of the suite's own, for the LEVEL it is given; its exit code says whether all of them held. */
  readonly ownChecks?: true;
}

const here = import.meta.dirname;

export function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(program: string, ...args: string[]): void {
  const outcome = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 300_000 });
  if (outcome.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${outcome.error?.message ?? outcome.stderr}`);
}

const typescript = (name: string): SuiteDefinition => ({ name, needs: [], command: [process.execPath, resolve(here, name, 'suite.ts')] });
/** A folder with `build`, which brings what is needed to the cache, and `run`, which reads KAFKA_BROKERS and LEVEL. */
const ownChecks = (name: string, needs: readonly string[]): SuiteDefinition => ({
  name,
  needs,
  prepare: () => run(resolve(here, name, 'build')),
  command: [resolve(here, name, 'run')],
  ownChecks: true,
});

export const suites: readonly SuiteDefinition[] = [
  typescript('kafkajs'),
  typescript('platformatic'),
  { ...typescript('kcat'), needs: ['kcat'] },
  { ...typescript('kafka-python'), needs: ['python3'], prepare: ensurePythonEnvironment },
  { ...typescript('librdkafka-python'), needs: ['python3'], prepare: ensurePythonEnvironment },
  ownChecks('java', ['java', 'javac', 'mvn']),
  ownChecks('go-franz', ['go']),
  ownChecks('go-sarama', ['go']),
  ownChecks('rust-rdkafka', ['cargo']),
];
