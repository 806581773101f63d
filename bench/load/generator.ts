// The load generator, a process of its own: the runner sends it a load, it plays it and sends the figures back.
// Nothing is encoded, compressed or checked beyond the error codes while the clock runs, so that it is never what is
// measured; how much of its core it took is part of every result.
import { fetchAll } from './fetch.ts';
import { commitAll, playGroups } from './groups.ts';
import type { Load, LoadResult, Reply } from './messages.ts';
import { produce } from './produce.ts';

process.on('message', (load: Load) => void play(load).then((reply) => process.send?.(reply)));
process.on('disconnect', () => process.exit(0));

async function play(load: Load): Promise<Reply> {
  try {
    return { result: await resultOf(load) };
  } catch (thrown) {
    return { failure: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

async function resultOf(load: Load): Promise<LoadResult> {
  if (load.kind === 'produce') return produce(load);
  if (load.kind === 'fetch') return fetchAll(load);
  return load.kind === 'group' ? playGroups(load) : commitAll(load);
}
