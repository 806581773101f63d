// Between the runner and the benches that also run by themselves: each is played in a process of its own and tells its figures
// by name; what it prints for a person goes to standard error, as progress does.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

interface Told {
  readonly name: string;
  readonly value: number;
}

/** Called by the bench. When nobody plays it, what it prints is all there is. */
export function tell(name: string, value: number): void {
  if (process.connected) process.send?.({ name, value } satisfies Told);
}

/** A directory of its own for the bench, gone with its process, also when a signal ends that. */
export function scratchDirectory(parent: string, name: string): string {
  const directory = mkdtempSync(join(parent, `bucketrider-${name}-`));
  if (process.listenerCount('SIGTERM') === 0)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What the bench told, in the order of the calls. */
export type Figures = ReadonlyMap<string, readonly number[]>;

/** @throws Error when it ends in another way than well */
export async function playAlone(file: string, words: readonly string[], nodeFlags: readonly string[] = []): Promise<Figures> {
  const child = fork(join(import.meta.dirname, file), words, { execArgv: [...nodeFlags], stdio: ['ignore', 2, 2, 'ipc'] });
  const endWithUs = (): void => void child.kill();
  process.once('exit', endWithUs);
  const figures = new Map<string, number[]>();
  child.on('message', ({ name, value }: Told) => {
    const values = figures.get(name) ?? [];
    figures.set(name, [...values, value]);
  });
  await once(child, 'close');
  process.off('exit', endWithUs);
  if (child.exitCode !== 0) throw new Error(`${file} failed`);
  return figures;
}

/** @throws Error when the bench did not tell it */
export function figureOf(figures: Figures, name: string): readonly number[] {
  const values = figures.get(name);
  if (values === undefined) throw new Error(`the bench did not tell ${name}, only ${[...figures.keys()].join(', ')}`);
  return values;
}
