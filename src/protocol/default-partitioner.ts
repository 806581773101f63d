// Which partition a record with a key belongs to: the choice of the Java client's default partitioner, which kafkajs,
// librdkafka's murmur2 and the others follow, so that a record produced here lies where their records lie.

/** MurmurHash2 with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2); a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995;
  const length = bytes.length;
  let hash = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let word =
      (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    word = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  const left = length & 3;
  if (left >= 3) hash ^= (bytes[whole + 2] as number) << 16;
  if (left >= 2) hash ^= (bytes[whole + 1] as number) << 8;
  if (left >= 1) hash = Math.imul(hash ^ (bytes[whole] as number), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

export const partitionOf = (key: Uint8Array, partitionCount: number): number => (murmur2(key) & 0x7fff_ffff) % partitionCount;
