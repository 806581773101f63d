// The load generator, a process of its own: the runner sends it a load, it plays it and sends the figures back.
// Nothing is encoded, compressed or checked beyond the error codes while the clock runs, so that it is never what is
// measured; how much of its core it took is part of every result.
import { fetchAll } from './fetch.ts';
import type { Load, Reply } from './messages.ts';
import { produce } from './produce.ts';

process.on('message', (load: Load) => void play(load).then((reply) => process.send?.(reply)));
process.on('disconnect', () => process.exit(0));

async function play(load: Load): Promise<Reply> {
  try {
    return { result: await (load.kind === 'produce' ? produce(load) : fetchAll(load)) };
  } catch (thrown) {
    return { failure: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}
