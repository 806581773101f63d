import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../protocol/errors.ts';
import { FrameReader } from './frames.ts';

const MiB = 1024 * 1024;

const framed = (...bodies: Buffer[]): Buffer =>
  Buffer.concat(bodies.flatMap((body) => [Buffer.from([body.length >>> 24, body.length >>> 16, body.length >>> 8, body.length]), body]));

const body = (length: number, seed = 1): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff));

function reader(maxFrameBytes = MiB): { frames: FrameReader; memory: { whole: number; partial: number } } {
  const memory = { whole: 0, partial: 0 };
  return { frames: new FrameReader(memory, maxFrameBytes), memory };
}

/** Takes all whole frames and releases them. */
function drain(frames: FrameReader): Buffer[] {
  const taken: Buffer[] = [];
  for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
    taken.push(Buffer.from(frame.bytes));
    frames.release(frame);
  }
  return taken;
}

test('frames come out whole and in order wherever the stream is cut', () => {
  const bodies = [body(5), body(0), body(17, 2), body(1, 3), body(300, 4)];
  const stream = framed(...bodies);
  for (let first = 0; first <= stream.length; first++) {
    for (const second of [first, first + 1, first + 3, first + 20, stream.length]) {
      const { frames, memory } = reader();
      const cut = Math.min(second, stream.length);
      frames.push(Buffer.from(stream.subarray(0, first)), 1, true);
      frames.push(Buffer.from(stream.subarray(first, cut)), 2, true);
      frames.push(Buffer.from(stream.subarray(cut)), 3, true);
      assert.equal(frames.waitingFrames, bodies.length);
      assert.equal(
        frames.waitingBytes,
        bodies.reduce((sum, { length }) => sum + length, 0),
      );
      assert.deepEqual(drain(frames), bodies);
      assert.deepEqual(
        { ...memory, midFrame: frames.midFrame, waiting: frames.waitingBytes },
        { whole: 0, partial: 0, midFrame: false, waiting: 0 },
      );
    }
  }
});

test('frames come out whole when every byte comes alone', () => {
  const bodies = [body(5), body(0), body(5000, 2)];
  const { frames, memory } = reader();
  const taken: Buffer[] = [];
  for (const byte of framed(...bodies)) {
    frames.push(Buffer.from([byte]), 1, true);
    taken.push(...drain(frames));
  }
  assert.deepEqual(taken, bodies);
  assert.deepEqual(memory, { whole: 0, partial: 0 });
});

test('a frame that lies in one chunk is a slice of it, and carries the time of the chunk', () => {
  const { frames } = reader();
  const chunk = framed(body(10), body(20));
  frames.push(chunk, 77, true);
  const first = frames.next();
  assert.equal(first?.bytes.buffer, chunk.buffer);
  assert.equal(first?.arrivedMs, 77);
});

test('a chunk counts as held until the last of its frames is released', () => {
  const { frames, memory } = reader();
  const chunk = framed(body(10), body(20), body(30));
  frames.push(chunk, 1, true);
  const taken = [frames.next(), frames.next(), frames.next()];
  assert.equal(memory.whole, chunk.length);
  frames.release(taken[2]!);
  frames.release(taken[0]!);
  assert.equal(memory.whole, chunk.length);
  frames.release(taken[1]!);
  assert.equal(memory.whole, 0);
});

test('a large frame of an honest client is allocated once it has shown a sixteenth of it', () => {
  const { frames, memory } = reader(200 * MiB);
  const stream = framed(Buffer.alloc(MiB, 7));
  frames.push(stream.subarray(0, 65_536 + 4), 1, true);
  assert.equal(memory.partial, MiB);
  for (let at = 65_540; at < stream.length; at += 65_536) frames.push(stream.subarray(at, at + 65_536), 2, true);
  const frame = frames.next();
  assert.equal(frame?.bytes.buffer.byteLength, MiB);
  assert.equal(memory.partial, 0);
  assert.equal(memory.whole, MiB);
});

test('a declared size costs no more than a small multiple of the bytes that have come', () => {
  const { frames, memory } = reader(200 * MiB);
  frames.push(Buffer.from([0x06, 0x40, 0, 0]), 1, true); // 100 MiB
  assert.deepEqual(memory, { whole: 0, partial: 0 });
  frames.push(Buffer.alloc(1), 1, true);
  assert.deepEqual(memory, { whole: 0, partial: 4096 });
  let received = 1;
  for (const bytes of [100, 4000, 10_000, 60_000]) {
    frames.push(Buffer.alloc(bytes), 1, true);
    received += bytes;
    assert.ok(memory.partial <= Math.max(4096, received * 16), `${memory.partial} for ${received}`);
  }
  frames.dispose();
  assert.deepEqual(memory, { whole: 0, partial: 0 });
});

test('where memory may not grow, nothing is set aside beyond what has come', () => {
  const { frames, memory } = reader(200 * MiB);
  frames.push(framed(Buffer.alloc(MiB)).subarray(0, 10_004), 1, false);
  assert.equal(memory.partial, 10_000);
  assert.equal(frames.needsRoom, true);
  frames.push(Buffer.alloc(100), 1, true);
  assert.equal(memory.partial, 161_600);
  assert.equal(frames.needsRoom, false);
  assert.equal(frames.missingBytes, MiB - 10_100);
});

test('leave to grow ends with the frame it was given for', () => {
  const { frames, memory } = reader(200 * MiB);
  const [one, two] = [framed(Buffer.alloc(100_000)), framed(Buffer.alloc(MiB))];
  frames.push(one.subarray(0, 10_004), 1, false);
  frames.push(Buffer.concat([one.subarray(10_004), two.subarray(0, 20_004)]), 1, true, false);
  assert.equal(frames.waitingFrames, 1);
  assert.equal(memory.partial, 20_000);
});

test('disposing gives back what waits, and frames in hand when they are released', () => {
  const { frames, memory } = reader();
  frames.push(framed(body(10), body(20)), 1, true);
  frames.push(framed(body(5000)).subarray(0, 100), 1, true);
  const inHand = frames.next();
  frames.dispose();
  assert.equal(memory.partial, 0);
  assert.equal(memory.whole, 38);
  frames.release(inHand!);
  assert.equal(memory.whole, 0);
});

for (const [what, bytes, reason] of [
  ['a negative size', [0xff, 0xff, 0xff, 0xff], /the size -1/],
  ['a size of 2 GiB', [0x7f, 0xff, 0xff, 0xff], /2147483647 bytes, and 1048576 are allowed/],
  ['one byte more than allowed', [0, 0x10, 0, 1], /1048577 bytes/],
  ['a TLS client hello', [0x16, 0x03, 0x01, 0x02], /0x16030102: a TLS client hello on a PLAINTEXT listener/],
  ['an HTTP request', [...Buffer.from('GET / HTTP/1.1')], /0x47455420: an HTTP request/],
  ['an SSH client', [...Buffer.from('SSH-2.0-x')], /an SSH client/],
] as const) {
  test(`${what} is refused before anything is allocated, in one piece and byte by byte`, () => {
    const whole = reader();
    assert.throws(() => whole.frames.push(Buffer.from(bytes), 1, true), { name: 'ProtocolError', message: reason });
    assert.deepEqual(whole.memory, { whole: 0, partial: 0 });
    const { frames, memory } = reader();
    assert.throws(() => {
      for (const byte of bytes) frames.push(Buffer.from([byte]), 1, true);
    }, ProtocolError);
    assert.deepEqual(memory, { whole: 0, partial: 0 });
  });
}

test('what looks like TLS or HTTP is told apart only at the start of a connection', () => {
  const { frames } = reader(0x7fff_ffff);
  frames.push(framed(body(4)), 1, true);
  frames.push(Buffer.from([0x16, 0x03, 0x01, 0x02]), 1, true);
  assert.equal(frames.missingBytes, 0x1603_0102);
});

test('a limit that is raised later holds for the frames that follow', () => {
  const { frames } = reader(100);
  frames.push(framed(body(100)), 1, true);
  frames.maxFrameBytes = 200;
  frames.push(framed(body(200)), 1, true);
  assert.equal(drain(frames).length, 2);
  assert.throws(() => frames.push(framed(body(201)), 1, true), ProtocolError);
});
