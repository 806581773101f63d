// One raw connection of the load generator: bytes out in one system call per turn, answers in through one buffer that is
// read over and over. Nothing is parsed that the caller does not look at.
import { connect, type Socket } from 'node:net';
import { FrameScanner } from './frame-scanner.ts';

const READ_BUFFER_BYTES = 1024 * 1024;

export interface LoadConnection {
  send(buffers: readonly Buffer[]): void;
  /** What is sent until `uncork` leaves together. */
  cork(): void;
  uncork(): void;
  close(): void;
}

export interface LoadConnectionEvents {
  /** An answer, without its size; `start` holds its beginning and is valid until the call returns. */
  onAnswer(start: Buffer, bytes: number): void;
  /** Everything that came in one read has been told. */
  onTurn(): void;
  onLost(error: Error): void;
}

export function openLoadConnection(address: { host: string; port: number }, events: LoadConnectionEvents): Promise<LoadConnection> {
  const scanner = new FrameScanner((start, bytes) => events.onAnswer(start, bytes));
  const { promise, resolve, reject } = Promise.withResolvers<LoadConnection>();
  let closed = false;
  const socket: Socket = connect({
    ...address,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      callback: (count: number, buffer: Uint8Array): boolean => {
        scanner.push(buffer.subarray(0, count) as Buffer);
        events.onTurn();
        return true;
      },
    },
  });
  const lost = (error: Error): void => {
    reject(error);
    if (!closed) events.onLost(error);
  };
  socket.on('error', lost);
  socket.on('close', () => lost(new Error('the server closed the connection')));
  socket.once('connect', () =>
    resolve({
      send: (buffers) => {
        for (const buffer of buffers) socket.write(buffer);
      },
      cork: () => socket.cork(),
      uncork: () => socket.uncork(),
      close: () => {
        closed = true;
        socket.destroy();
      },
    }),
  );
  return promise;
}
