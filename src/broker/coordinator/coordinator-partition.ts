// Which partition of its topic a coordinator keeps a key in: as Kafka computes it, so that a directory may change hands.

/** Java's String.hashCode: over UTF-16 units, in 32 bits. */
export function javaHashCode(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

const MIN_INT = -(2 ** 31);

/** Utils.abs of Kafka: the one number without a counterpart becomes 0. */
export function coordinatorPartition(key: string, partitionCount: number): number {
  const hash = javaHashCode(key);
  return hash === MIN_INT ? 0 : Math.abs(hash) % partitionCount;
}
