// Ways to break a request: the bytes of a valid one in, bytes that no honest client sends out.
import type { Dice } from '../protocol-samples.ts';

/** Numbers that readers get wrong, as they may stand anywhere. */
const poison = [
  '7fffffff',
  '80000000',
  'ffffffff',
  'fffffffe',
  '7fffffffffffffff',
  '8000000000000000',
  '7fff',
  '8000',
  'fffe',
  'ffffffff0f',
  'ffffffff1f',
  '8080808000',
  '00',
  'ff',
].map((text) => Buffer.from(text, 'hex'));

const noise = (dice: Dice, most: number): Buffer => Buffer.from(Array.from({ length: dice(most) }, () => dice(256)));

/** The frame cut at every byte. */
export const cuts = (frame: Buffer): Buffer[] => Array.from({ length: frame.length }, (_, length) => frame.subarray(0, length));

/** A flipped bit, a wrong length or null, bytes between, another ending, or garbage behind; seldom two of them at once. */
export function mutated(frame: Buffer, dice: Dice): Buffer {
  const broken = mutatedOnce(frame, dice);
  return dice(8) === 0 ? mutatedOnce(broken, dice) : broken;
}

function mutatedOnce(frame: Buffer, dice: Dice): Buffer {
  const at = dice(frame.length + 1);
  const [before, behind] = [frame.subarray(0, at), frame.subarray(at)];
  switch (dice(5)) {
    case 0: {
      const flipped = Buffer.from(frame);
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << dice(8));
      return flipped;
    }
    case 1: {
      const wrong = poison[dice(poison.length)] as Buffer;
      return Buffer.concat([before, wrong, behind.subarray(wrong.length)]);
    }
    case 2:
      return Buffer.concat([before, noise(dice, 8), behind]);
    case 3:
      return Buffer.concat([before, noise(dice, 40)]);
    default:
      return Buffer.concat([frame, noise(dice, 40)]);
  }
}
