// The environment: everything a broker needs that is not computation. Time, chance, files, sockets and heavy
// arithmetic come in through here, so that the same code runs on the real platform, in memory, under a clock a
// test moves, and in a simulator. Interfaces only; `real/` and `memory/` make them.

export interface Env {
  /** Milliseconds since an arbitrary start; never goes back. Sessions and timeouts run on it. */
  monotonicMs(): number;
  /** Milliseconds since 1970, as the machine believes. Record timestamps and retention run on it. */
  wallMs(): number;
  /** Runs once after `ms` (any length; 2^31 - 1 is no limit). Disposing cancels. An `unref`ed timer does not keep the process alive. */
  timer(ms: number, run: () => void, options?: { unref?: boolean }): Disposable;
  /** Runs after the input that is ready now has been handled, in order of the calls: work of one turn goes together. */
  defer(run: () => void): void;
  /** In [0, 1). */
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Of memory the process may use this much before the system ends it; Infinity where nothing limits it. */
  readonly memoryLimitBytes: number;
  readonly files: FileSystem;
  readonly network: Network;
  readonly compute: Compute;
  readonly processes: ProcessFacts;
  /** Absent where everything runs in turns of one thread. */
  readonly threads?: Threads;
}

/** Threads of their own for arithmetic that takes seconds and has a memory. */
export interface Threads {
  /** Starts a thread that runs the program of that name. Rejects where none can be had. */
  start(program: string): Promise<Thread>;
}

export interface Thread {
  /**
   * Asks the program something, one question at a time. What both sides send are plain data; the buffers named in `hand` are
   * handed over, and are empty here afterwards. Rejects with what the program threw (name and message), or when the thread has died.
   */
  ask(question: unknown, hand: readonly ArrayBuffer[]): Promise<unknown>;
  /** Ends the thread, whatever it is doing. Idempotent. */
  stop(): Promise<void>;
}

/** Files and folders. Paths are absolute. Failures are Errors with a POSIX `code` (ENOENT, EEXIST, ENOSPC, EIO, EMFILE, ...). */
export interface FileSystem {
  /** So many syncs are worth asking for at a time: more would wait for each other. */
  readonly syncsAtOnce: number;
  /** `read`: must exist. `write`: must exist, read and write. `create`: made when absent, read and write, never truncated. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle>;
  readDirectory(path: string): Promise<DirectoryEntry[]>;
  /** Makes the folder and its missing parents; an existing folder is no error. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all it holds; what is absent is no error. */
  remove(path: string): Promise<void>;
  /** Undefined when there is nothing at the path. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Makes the folder's entries (created, renamed, removed names) durable. */
  syncDirectory(path: string): Promise<void>;
  readFile(path: string): Promise<Buffer>;
  /** Bytes for which the file system that holds the path says it has room; a quota may allow fewer. */
  freeBytes(path: string): Promise<number>;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

export interface FileStat {
  readonly bytes: number;
  readonly isDirectory: boolean;
  readonly modifiedMs: number;
}

export interface FileHandle {
  /** Fills `into` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all buffers one after the other at `position`, or throws; a crash may leave any part. The buffers may not change meanwhile. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Returns when what was written is durable (fdatasync). */
  dataSync(): Promise<void>;
  /** Cuts or extends with zeros. */
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface Network {
  /** Port 0 takes a free one. Failures carry EADDRINUSE, EADDRNOTAVAIL, EACCES, ... as `code`. */
  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<ListeningSocket>;
  /** Aborting gives the attempt up with the signal's reason; an open connection does not hear it any more. */
  connect(options: { host: string; port: number; signal?: AbortSignal }): Promise<Socket>;
}

export interface ListenOptions {
  host: string;
  port: number;
  /** A connection could not be accepted (EMFILE, ...) and was shed; the listener goes on. */
  onAcceptError?: (error: Error) => void;
}

export interface ListeningSocket {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; open connections stay. Idempotent. */
  close(): Promise<void>;
}

/** What a socket tells its owner. `closed` comes once and last, with the error that ended the connection if there was one. */
export interface SocketEvents {
  data(chunk: Buffer): void;
  /** The other side will send no more; this side may still write. The connection closes once this side has ended too. */
  ended(): void;
  /** What `write` had to queue has left: more may be written. */
  drained(): void;
  closed(error: Error | undefined): void;
}

export interface Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Must be called once, in the turn in which the socket was received. */
  listen(events: SocketEvents): void;
  /**
   * Queues the buffers, which may not change until sent; false when the peer does not keep up and the caller should wait for
   * `drained`. After `end`, `destroy` or `closed` nothing is queued and the answer is false: `closed` comes, or has come.
   */
  write(buffers: readonly Uint8Array[]): boolean;
  /** Bytes handed to `write` that have not left yet. */
  readonly queuedBytes: number;
  /** Stops `data` until `resume`; the peer is slowed down by TCP. */
  pause(): void;
  resume(): void;
  /** Closes after what is queued has been sent. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export type CompressionCodec = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Arithmetic over many bytes, which may leave the event loop's thread. Small inputs are answered at once, without a promise. */
export interface Compute {
  /** CRC-32C (Castagnoli) of the bytes, unsigned; going on from that of the bytes before them, when there were some. */
  crc32c(bytes: Uint8Array, before?: number): number;
  /** A gzip member, xerial's stream of snappy blocks, an lz4 frame, a zstd frame. `level` in the codec's own scale. */
  compress(codec: CompressionCodec, bytes: Uint8Array, level?: number): Buffer | Promise<Buffer>;
  /**
   * The reverse of `compress`; several members, streams or frames in a row are one content, and snappy may be one raw block.
   * Never allocates more than about `maxBytes` of output.
   * @throws OutputLimitError when the output would exceed `maxBytes`; Error when the bytes are not of that codec
   */
  decompress(codec: CompressionCodec, bytes: Uint8Array, maxBytes: number): Buffer | Promise<Buffer>;
}

/** What can be found out about programs, so that one can tell whether another still holds what it once took. */
export interface ProcessFacts {
  /** This program, in words that any other can check. */
  self(): Promise<ProcessIdentity>;
  state(of: ProcessIdentity): Promise<ProcessState>;
  /** Who holds a lock of the operating system on the file, as Java programs take it; undefined when nobody does, or the platform does not tell. */
  fileLockHolder(path: string): Promise<FileLockHolder | undefined>;
}

/** `unknown`: it may run where we cannot look (another machine or container), or the platform says too little. */
export type ProcessState = 'running' | 'gone' | 'unknown';

/** A number alone is given to another program soon enough. Empty text where the platform does not say. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Compared, never read. */
  readonly startedAt: string;
  readonly bootId: string;
  /** Numbers mean something within it alone. */
  readonly pidNamespace: string;
  readonly host: string;
}

export interface FileLockHolder {
  /** Undefined when it cannot be seen from here. */
  readonly pid: number | undefined;
  /** What it was started as, shortened. */
  readonly command: string | undefined;
}

/** Decompression stopped at its output limit: the input may be a bomb. */
export class OutputLimitError extends Error {
  override readonly name = 'OutputLimitError';
}
