// The Python environment of the suites: made once, outside the checkout, from requirements.txt.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const requirements = join(import.meta.dirname, 'requirements.txt');
const cache = process.env['BUCKETRIDER_CACHE'] ?? join(homedir(), '.cache', 'bucketrider');
/** Named after what is in it, so that a changed requirement makes a new one. */
const environment = join(cache, `python-${createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)}`);

export const pythonOf = (): string => join(environment, 'bin', 'python');

function run(program: string, ...args: string[]): void {
  const outcome = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 300_000 });
  if (outcome.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${outcome.error?.message ?? outcome.stderr}`);
}

/** Wheels only: nothing is compiled. A moved environment still works, because we start its python by its full path. */
export function ensurePythonEnvironment(): void {
  if (existsSync(environment)) return;
  mkdirSync(cache, { recursive: true });
  const unfinished = `${environment}.${process.pid}`;
  run('python3', '-m', 'venv', unfinished);
  run(join(unfinished, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--requirement', requirements);
  renameSync(unfinished, environment); // whole or not at all
}
