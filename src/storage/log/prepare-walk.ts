// The one walk over record framing on a batch's way in: checks that the records are what their batch says, and finds the largest timestamp.
// Varints only; nothing is allocated per record unless a record is refused. Why the batch is walked, and what follows, is prepare.ts's.
import { KafkaError } from '../../protocol/errors.ts';

/** What is asked of every record. Timestamps in milliseconds, both bounds inclusive. */
export interface WalkRules {
  readonly baseTimestamp: number;
  readonly earliestTimestamp: number;
  readonly latestTimestamp: number;
  /** Compacted topics take no record without a key. */
  readonly keyRequired: boolean;
}

/** One refused record, as the Produce answer lists it (KIP-467). */
export interface RecordError {
  readonly batchIndex: number;
  readonly message: string;
}

/** A batch in which this many records are refused says so of the first ones only: the answer must not outgrow the request. */
const MOST_RECORD_ERRORS = 1000;

/** Where the last slow varint ended. A plain variable, so that reading one allocates nothing. */
let varintEnd = 0;

const cutOff = (): KafkaError => new KafkaError('INVALID_RECORD', 'the records end inside a field');

/** Any zigzag varint of up to five bytes; `varintEnd` is behind it. */
function readVarint(bytes: Uint8Array, from: number): number {
  let at = from;
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= bytes.length) throw cutOff();
    const byte = bytes[at++] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      varintEnd = at;
      return (value >>> 1) ^ -(value & 1);
    }
  }
  throw new KafkaError('INVALID_RECORD', 'a varint is longer than five bytes');
}

/** Any zigzag varint of up to ten bytes, rounded where a number does not hold it: far outside every timestamp that is accepted. */
function readVarlong(bytes: Uint8Array, from: number): number {
  let at = from;
  let value = 0;
  let odd = false;
  let factor = 1;
  for (let count = 0; count < 10; count++) {
    if (at >= bytes.length) throw cutOff();
    const byte = bytes[at++] as number;
    if (count === 0) odd = (byte & 1) === 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      varintEnd = at;
      return odd ? -(value + 1) / 2 : value / 2;
    }
    factor *= 128;
  }
  throw new KafkaError('INVALID_RECORD', 'a varlong is longer than ten bytes');
}

export class RecordWalk {
  readonly #bytes: Uint8Array;
  readonly #count: number;
  readonly #rules: WalkRules;
  #at = 0;
  #index = 0;
  /** The largest timestamp so far, -1 when there is none; and the first record that has it. */
  maxTimestamp = -1;
  offsetDeltaOfMaxTimestamp = -1;
  /** In the order of the records; at most MOST_RECORD_ERRORS. */
  readonly recordErrors: RecordError[] = [];
  recordErrorCount = 0;
  anyInvalidTimestamp = false;

  /** `count` records are to fill `bytes`. */
  constructor(bytes: Uint8Array, count: number, rules: WalkRules) {
    this.#bytes = bytes;
    this.#count = count;
    this.#rules = rules;
  }

  /**
   * Goes over up to `most` records; true when all have been seen.
   * Every field is first tried as a varint of one byte (two where that is common). Past the end of the buffer a byte is undefined, which
   * fails these tests and ends in the slow reader, which throws; a field that runs past its record shows when the record does not end
   * where it should. So the fast way needs no bounds checks of its own.
   * @throws KafkaError INVALID_RECORD when the framing is broken or an offset delta is out of line
   */
  advance(most: number): boolean {
    const bytes = this.#bytes;
    const end = bytes.length;
    const { baseTimestamp, earliestTimestamp, latestTimestamp, keyRequired } = this.#rules;
    const stop = Math.min(this.#count, this.#index + most);
    let at = this.#at;
    let index = this.#index;
    let maxTimestamp = this.maxTimestamp;
    for (; index < stop; index++) {
      let first = bytes[at] as number;
      let second = bytes[at + 1] as number;

      let length: number;
      if (first < 0x80) {
        length = (first >>> 1) ^ -(first & 1);
        at++;
      } else if (second < 0x80) {
        length = (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1);
        at += 2;
      } else {
        length = readVarint(bytes, at);
        at = varintEnd;
      }
      const recordEnd = at + length;
      if (length < 0 || recordEnd > end)
        throw new KafkaError('INVALID_RECORD', `record ${index} says ${length} bytes, ${end - at} are left`);
      at++; // attributes: none are defined

      let timestamp: number;
      first = bytes[at] as number;
      if (first < 0x80) {
        timestamp = baseTimestamp + ((first >>> 1) ^ -(first & 1));
        at++;
      } else {
        timestamp = baseTimestamp + readVarlong(bytes, at);
        at = varintEnd;
      }

      let offsetDelta: number;
      first = bytes[at] as number;
      second = bytes[at + 1] as number;
      if (first < 0x80) {
        offsetDelta = (first >>> 1) ^ -(first & 1);
        at++;
      } else if (second < 0x80) {
        offsetDelta = (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1);
        at += 2;
      } else {
        offsetDelta = readVarint(bytes, at);
        at = varintEnd;
      }
      if (offsetDelta !== index) throw new KafkaError('INVALID_RECORD', `record ${index} has offset delta ${offsetDelta}`);

      let keyLength: number;
      first = bytes[at] as number;
      if (first < 0x80) {
        keyLength = (first >>> 1) ^ -(first & 1);
        at++;
      } else {
        keyLength = readVarint(bytes, at);
        at = varintEnd;
      }
      if (keyLength > 0) at += keyLength;
      else if (keyLength < -1) throw negativeLength(index);

      let valueLength: number;
      first = bytes[at] as number;
      second = bytes[at + 1] as number;
      if (first < 0x80) {
        valueLength = (first >>> 1) ^ -(first & 1);
        at++;
      } else if (second < 0x80) {
        valueLength = (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1);
        at += 2;
      } else {
        valueLength = readVarint(bytes, at);
        at = varintEnd;
      }
      if (valueLength > 0) at += valueLength;
      else if (valueLength < -1) throw negativeLength(index);

      if (bytes[at] === 0) at++;
      else at = skipHeaders(bytes, at, index);
      if (at !== recordEnd) throw new KafkaError('INVALID_RECORD', `record ${index} ends ${at - recordEnd} bytes from where it says`);

      if (timestamp > maxTimestamp) {
        maxTimestamp = timestamp;
        this.offsetDeltaOfMaxTimestamp = index;
      }
      if (keyRequired && keyLength < 0) this.#refuse(index, 'a compacted topic takes no record without a key');
      else if ((timestamp < earliestTimestamp || timestamp > latestTimestamp) && timestamp !== -1) this.#refuseTimestamp(index, timestamp);
    }
    this.#at = at;
    this.#index = index;
    this.maxTimestamp = Math.min(maxTimestamp, Number.MAX_SAFE_INTEGER);
    if (index < this.#count) return false;
    if (at !== end) throw new KafkaError('INVALID_RECORD', `${end - at} bytes follow the last record`);
    return true;
  }

  #refuseTimestamp(batchIndex: number, timestamp: number): void {
    const { earliestTimestamp, latestTimestamp } = this.#rules;
    this.anyInvalidTimestamp = true;
    this.#refuse(batchIndex, `timestamp ${timestamp} is out of range: this topic takes ${earliestTimestamp} to ${latestTimestamp}`);
  }

  #refuse(batchIndex: number, message: string): void {
    this.recordErrorCount++;
    if (this.recordErrors.length < MOST_RECORD_ERRORS) this.recordErrors.push({ batchIndex, message });
  }
}

/** Returns the position behind the headers that begin with their count at `from`. */
function skipHeaders(bytes: Uint8Array, from: number, index: number): number {
  const count = readVarint(bytes, from);
  if (count < 0) throw negativeLength(index);
  let at = varintEnd;
  for (let left = count; left > 0; left--) {
    const keyLength = readVarint(bytes, at);
    if (keyLength < 0) throw negativeLength(index);
    const valueLength = readVarint(bytes, varintEnd + keyLength);
    if (valueLength < -1) throw negativeLength(index);
    at = varintEnd + Math.max(valueLength, 0);
  }
  return at;
}

const negativeLength = (index: number): KafkaError => new KafkaError('INVALID_RECORD', `record ${index} has a negative length or count`);
