// Which partition of its topic a coordinator keeps a key in: as Kafka computes it, so that a directory may change hands.

/** Java's String.hashCode: over UTF-16 units, in 32 bits. */
export function javaHashCode(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

export const coordinatorPartition = (key: string, partitionCount: number): number => (javaHashCode(key) & 0x7fff_ffff) % partitionCount;
