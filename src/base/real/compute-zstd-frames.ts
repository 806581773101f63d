// Where zstd frames end (RFC 8878, section 3). node:zlib reads one frame and silently drops what follows it; writers that flush make
// several, and every other reader takes them all. Only the framing is looked at: whether a frame decompresses is zlib's to say.

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50; // to 0x184d2a5f
/** Each frame costs a call into zlib. Real writers make one, or a few. */
const MOST_FRAMES = 1000;

const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

const cutOff = (): Error => new Error('a zstd frame is cut off');

/**
 * The frames of `bytes`, as views, without the skippable ones.
 * @throws Error when the bytes do not end with a whole frame, or hold more than MOST_FRAMES
 */
export function zstdFrames(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  let count = 0;
  let at = 0;
  do {
    if (bytes.length - at < 8) throw cutOff();
    if (++count > MOST_FRAMES) throw new Error(`more than ${MOST_FRAMES} zstd frames`);
    const magic = view.getUint32(at, true);
    const isSkippable = (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
    if (magic !== FRAME_MAGIC && !isSkippable) throw new Error('the bytes are no zstd frame');
    const end = isSkippable ? at + 8 + view.getUint32(at + 4, true) : frameEnd(view, at + 4);
    if (end > bytes.length) throw cutOff();
    if (!isSkippable) frames.push(bytes.subarray(at, end));
    at = end;
  } while (at < bytes.length);
  return frames;
}

//  | magic, 4 | descriptor, 1 | window, 1 unless single segment | dictionary id, 0 to 4 | content size, 0 to 8 |
//  then blocks: | last 1 bit, type 2 bits, size 21 bits | data, 1 byte where the type is run-length |    then | checksum, 4, optional |
function frameEnd(view: DataView, descriptorAt: number): number {
  const descriptor = view.getUint8(descriptorAt);
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = CONTENT_SIZE_BYTES[(descriptor >>> 6) as 0 | 1 | 2 | 3] || (singleSegment ? 1 : 0);
  let at = descriptorAt + 1 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3] + contentSizeBytes;
  for (let last = false; !last;) {
    if (at + 3 > view.byteLength) throw cutOff();
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >>> 1) & 3;
    if (type === 3) throw new Error('a zstd block has the reserved type');
    last = (header & 1) === 1;
    at += 3 + (type === 1 ? 1 : header >>> 3);
  }
  return (descriptor & 0x04) !== 0 ? at + 4 : at;
}
