// XXH3, 64 bits, without a seed: the hash by which Kafka tells whether the topics of a group have changed. Written after the
// specification (xxHash, "XXH3 algorithm"), over bigints: what is hashed here is seldom and short.

const MASK = (1n << 64n) - 1n;
const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);
const STRIPE = 64;
/** Stripes until the accumulators are scrambled. */
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE) / 8;
const BLOCK = STRIPE * STRIPES_PER_BLOCK;

/** Unsigned. */
export function xxh3(bytes: Buffer): bigint {
  if (bytes.length <= 16) return hashUpTo16(bytes);
  if (bytes.length <= 128) return hashUpTo128(bytes);
  return bytes.length <= 240 ? hashUpTo240(bytes) : hashLong(bytes);
}

const read64 = (bytes: Buffer, at: number): bigint => bytes.readBigUInt64LE(at);
const read32 = (bytes: Buffer, at: number): bigint => BigInt(bytes.readUInt32LE(at));
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;

/** The low half of the product of 128 bits, folded with the high one. */
function multiplyFold(left: bigint, right: bigint): bigint {
  const product = left * right;
  return (product & MASK) ^ (product >> 64n);
}

function swap64(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

/** The mixer of XXH64, for the shortest inputs. */
function avalancheShort(value: bigint): bigint {
  let hash = ((value ^ (value >> 33n)) * PRIME64_2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME64_3) & MASK;
  return hash ^ (hash >> 32n);
}

function avalanche(value: bigint): bigint {
  const hash = ((value ^ (value >> 37n)) * PRIME_MX1) & MASK;
  return hash ^ (hash >> 32n);
}

function hashUpTo16(bytes: Buffer): bigint {
  const { length } = bytes;
  if (length === 0) return avalancheShort(read64(SECRET, 56) ^ read64(SECRET, 64));
  if (length <= 3) {
    const [first, middle, last] = [0, length >> 1, length - 1].map((at) => BigInt(bytes.readUInt8(at))) as [bigint, bigint, bigint];
    const combined = (first << 16n) | (middle << 24n) | last | (BigInt(length) << 8n);
    return avalancheShort(combined ^ (read32(SECRET, 0) ^ read32(SECRET, 4)));
  }
  if (length <= 8) {
    const input = (read32(bytes, length - 4) + (read32(bytes, 0) << 32n)) & MASK;
    const keyed = input ^ (read64(SECRET, 8) ^ read64(SECRET, 16));
    let hash = ((keyed ^ rotate(keyed, 49n) ^ rotate(keyed, 24n)) * PRIME_MX2) & MASK;
    hash ^= (hash >> 35n) + BigInt(length);
    hash = (hash * PRIME_MX2) & MASK;
    return hash ^ (hash >> 28n);
  }
  const low = read64(bytes, 0) ^ read64(SECRET, 24) ^ read64(SECRET, 32);
  const high = read64(bytes, length - 8) ^ read64(SECRET, 40) ^ read64(SECRET, 48);
  return avalanche((BigInt(length) + swap64(low) + high + multiplyFold(low, high)) & MASK);
}

const mix16 = (bytes: Buffer, at: number, secretAt: number): bigint =>
  multiplyFold(read64(bytes, at) ^ read64(SECRET, secretAt), read64(bytes, at + 8) ^ read64(SECRET, secretAt + 8));

function hashUpTo128(bytes: Buffer): bigint {
  const { length } = bytes;
  let sum = BigInt(length) * PRIME64_1;
  // From both ends inwards, 16 bytes of each for every 32 there are.
  for (let pair = (length - 1) >> 5; pair >= 0; pair -= 1)
    sum += mix16(bytes, 16 * pair, 32 * pair) + mix16(bytes, length - 16 * (pair + 1), 32 * pair + 16);
  return avalanche(sum & MASK);
}

function hashUpTo240(bytes: Buffer): bigint {
  const { length } = bytes;
  let sum = BigInt(length) * PRIME64_1;
  for (let round = 0; round < 8; round += 1) sum += mix16(bytes, 16 * round, 16 * round);
  sum = avalanche(sum & MASK);
  for (let round = 8; round < length >> 4; round += 1) sum += mix16(bytes, 16 * round, 16 * (round - 8) + 3);
  sum += mix16(bytes, length - 16, 136 - 17);
  return avalanche(sum & MASK);
}

function hashLong(bytes: Buffer): bigint {
  const sums = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
  const blocks = Math.floor((bytes.length - 1) / BLOCK);
  for (let block = 0; block < blocks; block += 1) {
    for (let stripe = 0; stripe < STRIPES_PER_BLOCK; stripe += 1) accumulate(sums, bytes, block * BLOCK + stripe * STRIPE, stripe * 8);
    scramble(sums);
  }
  const stripes = Math.floor((bytes.length - 1 - blocks * BLOCK) / STRIPE);
  for (let stripe = 0; stripe < stripes; stripe += 1) accumulate(sums, bytes, blocks * BLOCK + stripe * STRIPE, stripe * 8);
  accumulate(sums, bytes, bytes.length - STRIPE, SECRET.length - STRIPE - 7);

  let hash = BigInt(bytes.length) * PRIME64_1;
  for (let pair = 0; pair < 4; pair += 1) {
    const [left = 0n, right = 0n] = sums.slice(2 * pair, 2 * pair + 2);
    hash += multiplyFold(left ^ read64(SECRET, 11 + 16 * pair), right ^ read64(SECRET, 11 + 16 * pair + 8));
  }
  return avalanche(hash & MASK);
}

function accumulate(sums: bigint[], bytes: Buffer, at: number, secretAt: number): void {
  for (let lane = 0; lane < 8; lane += 1) {
    const value = read64(bytes, at + 8 * lane);
    const keyed = value ^ read64(SECRET, secretAt + 8 * lane);
    sums[lane ^ 1] = ((sums[lane ^ 1] ?? 0n) + value) & MASK;
    sums[lane] = ((sums[lane] ?? 0n) + (keyed & 0xffffffffn) * (keyed >> 32n)) & MASK;
  }
}

function scramble(sums: bigint[]): void {
  for (const [lane, sum] of sums.entries())
    sums[lane] = ((sum ^ (sum >> 47n) ^ read64(SECRET, SECRET.length - STRIPE + 8 * lane)) * PRIME32_1) & MASK;
}
