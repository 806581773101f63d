// Starts the program under test, waits for its `ready` line, and stops it by its process id. What it printed last is
// kept for the report of a failure.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Tail } from './tail.ts';

const readyTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;

export interface RunningProgram {
  /** As the ready line gave it: HOST:PORT. */
  readonly bootstrap: string;
  readonly readyMs: number;
  /** Undefined while it runs; afterwards how it ended, in words. */
  ended(): string | undefined;
  /** The last lines it printed, on both of its streams. */
  lastLines(): string;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Asks with SIGTERM; undefined when it then ended with exit code 0, otherwise what it did instead. */
  stop(): Promise<string | undefined>;
}

interface ProgramOptions {
  /** A JavaScript or TypeScript file that takes `start --port N --data DIR --set k=v` and prints `ready HOST:PORT`. */
  readonly file: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly settings: readonly string[];
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function ending(child: ChildProcess): string | undefined {
  if (child.exitCode !== null) return `exit code ${child.exitCode}`;
  return child.signalCode === null ? undefined : `signal ${child.signalCode}`;
}

async function endsWithin(child: ChildProcess, ms: number): Promise<boolean> {
  if (ending(child) !== undefined) return true;
  const timeout = AbortSignal.timeout(ms);
  return once(child, 'exit', { signal: timeout }).then(
    () => true,
    () => false,
  );
}

export async function startProgram({ file, port, dataDirectory, settings }: ProgramOptions): Promise<RunningProgram> {
  if (!existsSync(file)) throw new Error(`${file} does not exist; npm run build makes the broker`);
  const startedAt = performance.now();
  const flags = ['start', '--port', String(port), '--data', dataDirectory, ...settings.flatMap((setting) => ['--set', setting])];
  const child = spawn(process.execPath, [file, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.on('exit', killWithUs);

  const tail = new Tail(60);
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    tail.add(line);
    const bootstrap = /^ready (\S+)$/.exec(line)?.[1];
    if (bootstrap !== undefined) ready.resolve(bootstrap);
  });
  createInterface({ input: child.stderr }).on('line', (line) => tail.add(line));
  child.on('exit', () => ready.reject(new Error(`${file} ended with ${ending(child)} before it was ready:\n${tail.text()}`)));
  child.on('error', (error) => ready.reject(error));
  const late = setTimeout(
    () => ready.reject(new Error(`${file} was not ready within ${readyTimeoutMs} ms:\n${tail.text()}`)),
    readyTimeoutMs,
  );

  try {
    const bootstrap = await ready.promise;
    return {
      bootstrap,
      readyMs: performance.now() - startedAt,
      ended: () => ending(child),
      lastLines: () => tail.text(),
      kill: async () => {
        child.kill('SIGKILL');
        await endsWithin(child, stopTimeoutMs);
        process.off('exit', killWithUs);
      },
      stop: async () => {
        const early = ending(child);
        if (early !== undefined) return `it had ended before, with ${early}`;
        child.kill('SIGTERM');
        if (await endsWithin(child, stopTimeoutMs)) return child.exitCode === 0 ? undefined : `it ended with ${ending(child)}`;
        child.kill('SIGKILL');
        return `it was still running ${stopTimeoutMs} ms after SIGTERM`;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(late);
  }
}
