// The arithmetic over many bytes: CRC-32C, and the four codecs of Kafka behind one contract of limits.
// gzip and zstd are the platform's (node:zlib); snappy and lz4 are our own (docs/decisions/codecs.md says why). What is small is answered
// at once; what is large leaves the thread or runs in slices. How Kafka frames records around this lives in protocol/compression.ts.
import type Zlib from 'node:zlib';
import { type CompressionCodec, type Compute, OutputLimitError } from '../env.ts';
import { inNextTurn, nextTurn } from './clock.ts';
import { compressLz4, decompressLz4 } from './compute-lz4.ts';
import { compressSnappy, decompressSnappy } from './compute-snappy.ts';
import { zstdFrames } from './compute-zstd-frames.ts';
import { makeCrc32c } from './crc32c.ts';

/** Inputs up to this size are compressed and decompressed in the caller's turn, unless they turn out to be long work. */
const SYNC_INPUT_BYTES = 64 * 1024;
/** Output that may come of them in that turn; an input that gives more starts again, in slices or in the thread pool. */
const SYNC_OUTPUT_BYTES = 1024 * 1024;
/**
 * Work answered at once within one turn of the event loop, all callers together; then even what is small waits for the next turn.
 * Counted in bytes of snappy and lz4 output, about 2 ns each; the other costs are given relative to that.
 */
const TURN_BYTES = 2 * 1024 * 1024;
const COST = { zlibCall: 32 * 1024, gzipPerByte: 10, zstdPerByte: 2 };
/** Outputs beyond this are made one at a time, so that a number of bombs needs no more memory than one. */
const LARGE_OUTPUT_BYTES = 8 * 1024 * 1024;
/** Jobs of ours in libuv's pool: it has four threads, and the syncs of the disk go through the same ones. */
const POOL_JOBS = 2;
/** zstd windows as the Java client takes them: 2^27. Only touched pages of a window cost memory. */
const ZSTD_WINDOW_LOG = 27;
/** Above this level zstd is too slow for the caller's turn. */
const ZSTD_SYNC_LEVEL = 6;
const ZSTD_DEFAULT_LEVEL = 3; // both as Kafka's
const GZIP_DEFAULT_LEVEL = -1;
/**
 * zlib's output comes in chunks, which are joined at the end. A large output is one chunk: joining it would stall the event loop, and
 * what is not written of it takes no memory.
 */
const LEAST_CHUNK_BYTES = 16 * 1024;
const MOST_CHUNK_BYTES = 1024 * 1024 * 1024;
const POOL_CHUNK_BYTES = 1024 * 1024;

/** Yields what each slice cost, the last one too. */
type SlicedWork = Generator<number, Buffer, void>;

/** At most `width` holders at a time, in order of arrival. */
class Lane {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((enter) => this.#waiting.push(enter));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** Loaded at the first use: a broker whose clients compress nothing pays nothing for it when it starts. */
const zlib = (): typeof Zlib => (loadedZlib ??= process.getBuiltinModule('node:zlib'));
let loadedZlib: typeof Zlib | undefined;

export function makeCompute(): Compute {
  const pool = new Lane(POOL_JOBS);
  const large = new Lane(1);
  const sliced = new Lane(1);
  let doneThisTurn = 0;
  const mayWorkNow = (): boolean => doneThisTurn < TURN_BYTES;
  const worked = (bytes: number): void => {
    if (doneThisTurn === 0) inNextTurn(() => (doneThisTurn = 0));
    doneThisTurn += bytes + 1; // never nothing: the reset is set once
  };

  /** Small work to its end at once. What turns out to be long is thrown away, with its memory, and waits for its place in the lane. */
  function inSlices(begin: () => SlicedWork, inputBytes: number): Buffer | Promise<Buffer> {
    if (inputBytes <= SYNC_INPUT_BYTES && mayWorkNow()) {
      const work = begin();
      for (let spent = 0; spent < SYNC_OUTPUT_BYTES;) {
        const slice = work.next();
        if (slice.done === true) return slice.value;
        spent += slice.value;
        worked(slice.value);
      }
    }
    return sliced.run(() => turnByTurn(begin()));
  }

  async function turnByTurn(work: SlicedWork): Promise<Buffer> {
    for (;;) {
      if (!mayWorkNow()) await nextTurn();
      const slice = work.next();
      if (slice.done === true) return slice.value;
      worked(slice.value);
    }
  }

  function decompressByZlib(codec: 'gzip' | 'zstd', bytes: Uint8Array, maxBytes: number): Buffer | Promise<Buffer> {
    if (bytes.length <= SYNC_INPUT_BYTES && mayWorkNow()) {
      const limit = Math.min(maxBytes, SYNC_OUTPUT_BYTES);
      try {
        const options = decompressOptions(limit, Math.max(bytes.length * 4, LEAST_CHUNK_BYTES));
        const made = codec === 'gzip' ? zlib().gunzipSync(bytes, options) : zlib().zstdDecompressSync(bytes, options);
        worked(COST.zlibCall + made.length);
        return within(maxBytes, made);
      } catch (thrown) {
        worked(SYNC_OUTPUT_BYTES);
        if (!isOutputLimit(thrown)) throw thrown;
        if (limit === maxBytes) throw new OutputLimitError(`${codec} gives more than ${maxBytes} bytes`, { cause: thrown });
      }
    }
    return decompressInPool(codec, bytes, maxBytes);
  }

  async function decompressFrames(frames: readonly Uint8Array[], maxBytes: number): Promise<Buffer> {
    const made: Buffer[] = [];
    let left = maxBytes;
    for (const frame of frames) {
      const piece = await decompressByZlib('zstd', frame, left);
      made.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(made);
  }

  async function decompressInPool(codec: 'gzip' | 'zstd', bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
    const attempt = (limit: number, chunkSize: number): Promise<Buffer> => {
      const options = decompressOptions(limit, chunkSize);
      return pool.run(() =>
        called((done) => (codec === 'gzip' ? zlib().gunzip(bytes, options, done) : zlib().zstdDecompress(bytes, options, done))),
      );
    };
    try {
      try {
        return within(maxBytes, await attempt(Math.min(maxBytes, LARGE_OUTPUT_BYTES), POOL_CHUNK_BYTES));
      } catch (thrown) {
        if (!isOutputLimit(thrown) || maxBytes <= LARGE_OUTPUT_BYTES) throw thrown;
        return await large.run(() => attempt(maxBytes, Math.min(maxBytes, MOST_CHUNK_BYTES)));
      }
    } catch (thrown) {
      throw isOutputLimit(thrown) ? new OutputLimitError(`${codec} gives more than ${maxBytes} bytes`, { cause: thrown }) : thrown;
    }
  }

  function compressByZlib(codec: 'gzip' | 'zstd', bytes: Uint8Array, level: number | undefined): Buffer | Promise<Buffer> {
    const gzipOptions = { level: level ?? GZIP_DEFAULT_LEVEL };
    const zstdOptions = { params: { [zlib().constants.ZSTD_c_compressionLevel]: level ?? ZSTD_DEFAULT_LEVEL } };
    const slow = codec === 'zstd' && (level ?? ZSTD_DEFAULT_LEVEL) > ZSTD_SYNC_LEVEL;
    if (bytes.length <= SYNC_INPUT_BYTES && !slow && mayWorkNow()) {
      worked(COST.zlibCall + bytes.length * (codec === 'gzip' ? COST.gzipPerByte : COST.zstdPerByte));
      return codec === 'gzip' ? zlib().gzipSync(bytes, gzipOptions) : zlib().zstdCompressSync(bytes, zstdOptions);
    }
    return pool.run(() =>
      called((done) => (codec === 'gzip' ? zlib().gzip(bytes, gzipOptions, done) : zlib().zstdCompress(bytes, zstdOptions, done))),
    );
  }

  return {
    crc32c: makeCrc32c(),
    compress(codec: CompressionCodec, bytes: Uint8Array, level?: number) {
      if (codec === 'snappy') return inSlices(() => compressSnappy(bytes), bytes.length);
      if (codec === 'lz4') return inSlices(() => compressLz4(bytes, level), bytes.length);
      return compressByZlib(codec, bytes, level);
    },
    decompress(codec: CompressionCodec, bytes: Uint8Array, maxBytes: number) {
      if (codec === 'snappy') return inSlices(() => decompressSnappy(bytes, maxBytes), bytes.length);
      if (codec === 'lz4') return inSlices(() => decompressLz4(bytes, maxBytes), bytes.length);
      if (codec === 'gzip') return decompressByZlib('gzip', bytes, maxBytes);
      const frames = zstdFrames(bytes);
      const [first] = frames;
      if (first === undefined) return Buffer.alloc(0);
      return frames.length === 1 ? decompressByZlib('zstd', first, maxBytes) : decompressFrames(frames, maxBytes);
    },
  };
}

function decompressOptions(limit: number, chunkSize: number) {
  return {
    maxOutputLength: Math.max(limit, 1), // zlib takes no 0; `within` does the rest
    chunkSize,
    params: { [zlib().constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG }, // gzip does not look at it
  };
}

function within(maxBytes: number, made: Buffer): Buffer {
  if (made.length > maxBytes) throw new OutputLimitError(`${made.length} bytes came out, ${maxBytes} are allowed`);
  return made;
}

const isOutputLimit = (thrown: unknown): boolean =>
  thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';

function called(start: (done: (error: Error | null, made: Buffer) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    start((error, made) => {
      if (error) reject(error);
      else resolve(made);
    });
  });
}
