// The inner loops that snappy and lz4 share: copying runs of bytes, and comparing them. Short ones eight bytes at a time through views,
// which the compiler turns into plain loads and stores: up to twice as fast as byte by byte, while a call into native code (`set`,
// `copyWithin`, `fill`) costs more than most runs are long. Long ones natively.

/** From this length on a native call pays. */
const LONG = 256;

/** Bytes with a view on them, so that both are made once. */
export class Bytes {
  readonly array: Uint8Array;
  readonly view: DataView;

  constructor(array: Uint8Array) {
    this.array = array;
    this.view = new DataView(array.buffer, array.byteOffset, array.byteLength);
  }
}

/**
 * Copies `length` bytes of `from` to `to`. Reads below `fromEnd` and writes below `toEnd` only, but beyond its run: what lies there is
 * overwritten by the runs that follow.
 */
export function copyLiterals(from: Bytes, at: number, fromEnd: number, to: Bytes, toAt: number, toEnd: number, length: number): void {
  if (length >= LONG) {
    to.array.set(from.array.subarray(at, at + length), toAt);
    return;
  }
  const source = from.view;
  const target = to.view;
  let done = 0;
  for (const wide = Math.min(length, fromEnd - at - 7, toEnd - toAt - 7); done < wide; done += 8) {
    target.setInt32(toAt + done, source.getInt32(at + done, true), true);
    target.setInt32(toAt + done + 4, source.getInt32(at + done + 4, true), true);
  }
  for (; done < length; done++) target.setUint8(toAt + done, source.getUint8(at + done));
}

/** For an offset below 8: its smallest multiple that is not. */
const WIDE_OFFSETS = [0, 8, 8, 9, 8, 10, 12, 14];

/** Repeats `length` bytes from `offset` (> 0) before `at`; the two may overlap. Writes below `end` only, but beyond its run, as above. */
export function copyMatch(bytes: Bytes, at: number, offset: number, length: number, end: number): void {
  const view = bytes.view;
  const stop = at + length;
  if (length >= LONG && (offset === 1 || offset >= length)) {
    if (offset === 1) bytes.array.fill(view.getUint8(at - 1), at, stop);
    else bytes.array.copyWithin(at, at - offset, stop - offset);
    return;
  }
  let target = at;
  let distance = offset;
  if (distance < 8) {
    // What repeats every three bytes repeats every nine too: a few bytes singly, then the distance is wide enough for eight at a time.
    distance = WIDE_OFFSETS[offset] as number;
    for (const wideFrom = Math.min(stop, at + distance - offset); target < wideFrom; target++)
      view.setUint8(target, view.getUint8(target - offset));
  }
  for (const wideEnd = Math.min(stop, end - 7); target < wideEnd; target += 8) {
    view.setInt32(target, view.getInt32(target - distance, true), true);
    view.setInt32(target + 4, view.getInt32(target - distance + 4, true), true);
  }
  for (; target < stop; target++) view.setUint8(target, view.getUint8(target - offset));
}

/** How many bytes from `at` on are equal to those from `candidate` on, looking no further than `end`. The first four are known to be. */
export function matchLength(view: DataView, candidate: number, at: number, end: number): number {
  let length = 4;
  while (at + length + 4 <= end && view.getInt32(candidate + length) === view.getInt32(at + length)) length += 4;
  while (at + length < end && view.getUint8(candidate + length) === view.getUint8(at + length)) length++;
  return length;
}
