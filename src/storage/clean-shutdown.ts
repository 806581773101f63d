// .kafka_cleanshutdown: the mark that a log directory was closed in good order, with the epoch the broker had (KIP-966).
// Text form only. It may be written only when everything is synced, and is removed before anything is written again.
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';
const VERSION = 0;

export function encodeCleanShutdown(brokerEpoch: number): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, brokerEpoch }));
}

/**
 * The broker epoch; undefined when the mark does not say it. That the file is there is the mark: Kafka, too, takes a
 * directory as cleanly closed whatever the file holds, and only loses the epoch.
 */
export function decodeCleanShutdown(bytes: Buffer): number | undefined {
  try {
    const content: unknown = JSON.parse(bytes.toString('utf8'));
    const epoch = content !== null && typeof content === 'object' && 'brokerEpoch' in content ? content.brokerEpoch : undefined;
    return Number.isSafeInteger(epoch) ? (epoch as number) : undefined;
  } catch {
    return undefined;
  }
}
