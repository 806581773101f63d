// Regular expressions that consumers subscribe with (KIP-848). The broker resolves them, in the syntax of RE2 as Kafka's does, which has
// nothing that takes exponential time. RE2JS interprets them; it is loaded with the first expression (16 ms), so that a broker
// without any does not pay for it. Programs are bounded: RE2 alone would take seconds to compile what 4 KiB can ask for.
import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { KafkaError } from '../../protocol/errors.ts';

/** Characters of an expression. */
export const MAX_PATTERN_LENGTH = 4096;
/** Instructions of a compiled program: where they are all alive at once, each costs some 80 ns for each character of a topic's name. */
export const MAX_PROGRAM_SIZE = 2000;
/** What may be tried at all: a program of this size compiles in some tens of milliseconds, and is then measured. */
const MAX_UNROLLED_SIZE = 10_000;

let loaded: typeof Re2 | undefined;
const re2 = (): typeof Re2 => (loaded ??= createRequire(import.meta.url)('re2js') as typeof Re2);

export interface TopicRegex {
  /** Whether the whole name matches. */
  matches(topic: string): boolean;
  /** Instructions of its program: with the length of a name the most that a match takes. */
  readonly programSize: number;
}

/** @throws KafkaError INVALID_REGULAR_EXPRESSION for what is not RE2, and for what would cost too much */
export function compileTopicRegex(pattern: string): TopicRegex {
  if (pattern.length > MAX_PATTERN_LENGTH) throw refusal(pattern, `it has more than ${MAX_PATTERN_LENGTH} characters`);
  if (unrolledSize(pattern) > MAX_UNROLLED_SIZE) throw refusal(pattern, 'its repetitions make it too large');
  const { RE2JS, RE2JSException } = re2();
  let program: Re2.RE2JS;
  try {
    program = RE2JS.compile(pattern);
  } catch (thrown) {
    if (thrown instanceof RE2JSException) throw refusal(pattern, thrown.message);
    throw thrown;
  }
  const programSize = program.programSize();
  if (programSize > MAX_PROGRAM_SIZE) throw refusal(pattern, 'it is too large');
  return { matches: (topic) => program.testExact(topic), programSize };
}

function refusal(pattern: string, why: string): KafkaError {
  const shown = pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern;
  return new KafkaError('INVALID_REGULAR_EXPRESSION', `SubscribedTopicRegex \`${shown}\` is not a valid regular expression: ${why}.`);
}

const repetition = /\{(\d+)(?:,(\d*))?\}/y;
const escaped = /\\(?:Q[^]*?(?:\\E|$)|[pP]\{[^}]*\}|x\{[^}]*\}|[^])/y;
const characterClass = /\[\^?\]?(?:\[:\^?[a-z]{1,10}:\]|\\[^]|[^\]\\])*\]/y;

/**
 * How many things there are to match once counted repetitions are written out: about the size of the program, found without
 * building it. Need not be right about what is no expression at all.
 */
function unrolledSize(pattern: string): number {
  const open: number[] = []; // what stands before each group that is open
  let size = 0;
  let last = 0; // the size of what a repetition would repeat
  for (let at = 0; at < pattern.length;) {
    const times = matchAt(repetition, pattern, at);
    const token = matchAt(escaped, pattern, at) ?? matchAt(characterClass, pattern, at);
    if (times !== undefined) {
      const most = Math.max(Number(times[1]), Number(times[2] ?? 0), 1);
      size += last * (most - 1);
      last *= most;
    } else if (pattern[at] === '(') {
      open.push(size);
      size = 0;
    } else if (pattern[at] === ')') {
      last = size;
      size += open.pop() ?? 0;
    } else {
      last = token?.[0].startsWith('\\Q') ? token[0].length : 1;
      size += last;
    }
    at += (times ?? token)?.[0].length ?? 1;
  }
  return open.reduce((sum, before) => sum + before, size);
}

function matchAt(regex: RegExp, text: string, at: number): RegExpExecArray | undefined {
  regex.lastIndex = at;
  return regex.exec(text) ?? undefined;
}
