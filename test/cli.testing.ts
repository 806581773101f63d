// For the tests of the command line: builds the program once per test file, runs it as a process, and starts brokers with
// it. Nothing outlives the test file.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { buildPackage } from '../scripts/build.ts';

const root = resolve(import.meta.dirname, '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface RunningProgram {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the match once standard output has it; rejects when the program ends without it. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** The same for standard error. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface CommandLine {
  readonly file: string;
  /** Starts the program and leaves it running; standard input stays open unless there is `input`. */
  spawn(words: readonly string[], options?: RunOptions): RunningProgram;
  /** Runs the program to its end. */
  run(words: readonly string[], options?: RunOptions): Promise<Ended>;
  /** `start` on a free port, in memory unless `words` say otherwise; resolves when it is ready. */
  start(...words: string[]): Promise<RunningProgram & { readonly bootstrap: string }>;
  /** A folder of its own, removed at the end. */
  folder(): string;
}

/** Longer than anything here takes on a busy machine, shorter than a person's patience. */
const LONGEST_RUN_MS = 120_000;
/** A broker lives as long as its test file, and no longer than this: a test that waits for it in vain has to end. */
const LONGEST_LIFE_MS = 300_000;

/** `name` is that of the test file: two files that run at once do not build into the same folder. */
export async function buildCommandLine(name: string): Promise<CommandLine> {
  const into = join(root, '.cache', name); // inside the package, so that it finds its dependencies
  await buildPackage(into);
  const file = join(into, 'bin.cjs');
  const running = new Set<ChildProcess>();
  const folders: string[] = [];
  after(() => {
    for (const child of running) child.kill('SIGKILL');
    for (const folder of [into, ...folders]) rmSync(folder, { recursive: true, force: true });
  });
  // The surroundings of whoever runs the tests must not change what they see.
  const surroundings = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(KAFKA|BUCKETRIDER|npm|NODE)_|^NO_COLOR$/.test(key)),
  );

  const start = (words: readonly string[], { input, env, cwd }: RunOptions = {}, longestMs = LONGEST_LIFE_MS): RunningProgram => {
    const child = spawn(process.execPath, [file, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...surroundings, NODE_COMPILE_CACHE: join(into, 'compiled'), ...env },
      ...(cwd !== undefined && { cwd }),
    });
    running.add(child);
    child.stdin.on('error', () => undefined); // it may end before it has read everything
    if (input !== undefined) child.stdin.end(input);
    const output = new Stream(child.stdout);
    const errors = new Stream(child.stderr);
    const late = setTimeout(() => child.kill('SIGKILL'), longestMs);
    const ended = new Promise<Ended>((resolveEnd) => {
      child.on('close', (code, signal) => {
        clearTimeout(late);
        running.delete(child);
        const end = { code, signal, stdout: output.text, stderr: errors.text };
        for (const stream of [output, errors]) stream.end(`${words.join(' ')} ended with ${code ?? signal}:\n${end.stdout}${end.stderr}`);
        resolveEnd(end);
      });
    });
    return { child, ended, printed: (pattern) => output.until(pattern), said: (pattern) => errors.until(pattern) };
  };

  return {
    file,
    spawn: (words, options) => start(words, options, LONGEST_RUN_MS),
    run: (words, options) => start(words, { input: '', ...options }, LONGEST_RUN_MS).ended,
    start: async (...words) => {
      const where = words.includes('--data') || words.includes('--memory') ? [] : ['--memory'];
      const broker = start(['start', '--port', '0', ...where, ...words]);
      const [, bootstrap] = await broker.printed(/^ready (\S+)$/m);
      assert.ok(bootstrap);
      return { ...broker, bootstrap };
    },
    folder: () => {
      const made = mkdtempSync(join(tmpdir(), 'bucketrider-cli-'));
      folders.push(made);
      return made;
    },
  };
}

/** What a stream has said so far, and who waits for something in it. */
class Stream {
  readonly #chunks: Buffer[] = [];
  readonly #waiting = new Set<{ pattern: RegExp; resolve: (found: RegExpExecArray) => void; reject: (why: Error) => void }>();
  #over: string | undefined;

  constructor(source: NodeJS.ReadableStream) {
    source.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#look();
    });
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolveFound, reject) => {
      this.#waiting.add({ pattern, resolve: resolveFound, reject });
      this.#look();
    });
  }

  end(why: string): void {
    this.#over = why;
    this.#look();
  }

  #look(): void {
    for (const waiter of this.#waiting) {
      const found = waiter.pattern.exec(this.text);
      if (found === null && this.#over === undefined) continue;
      this.#waiting.delete(waiter);
      if (found !== null) waiter.resolve(found);
      else waiter.reject(new Error(`never said ${waiter.pattern}: ${this.#over}`));
    }
  }
}
