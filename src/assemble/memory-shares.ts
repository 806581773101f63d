// What a broker holds at the most where its container gives it little memory, as far as no setting says it: what is made for
// a machine of its own would get a small container killed in the first flood.
import type { BrokerConfig } from '../config/broker-configs.ts';
import { defaultServerConfig } from '../server/server-config.ts';

export interface MemoryShares {
  readonly tailCacheBytes: number;
  /** Of requests in hand; past it sockets are not read. */
  readonly queuedMaxRequestBytes: number;
}

/**
 * Each of the two gets a sixteenth: beside them stand V8 and the program (80 MiB), a chunk of every client that sends at the
 * moment the memory is full, and as much again that the garbage collector has not got to yet.
 */
const SHARE = 1 / 16;

/** @param limitBytes of the container; Infinity, or very much, where there is none */
export function memoryShares(config: BrokerConfig, isSet: (name: string) => boolean, limitBytes: number): MemoryShares {
  const share = Math.floor(limitBytes * SHARE);
  const cache = config['storage.cache.bytes'];
  const queued = config['queued.max.request.bytes'];
  return {
    tailCacheBytes: isSet('storage.cache.bytes') ? cache : Math.min(cache, share),
    queuedMaxRequestBytes: queued > 0 ? queued : Math.min(defaultServerConfig.queuedMaxRequestBytes, share),
  };
}
