// Text to typed values and back, exactly as Kafka does it: what Kafka's Java parses we parse, and what it refuses we refuse
// in its words. Nothing here knows a single setting.
//
// Numbers are JavaScript numbers, clamped to ±(2^53 - 1), here and nowhere else: 9223372036854775807 is used by
// everybody as "no limit", and the nearest safe integer means the same to all code. The text is what is stored, sent
// and shown, so nobody sees the clamped number.

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';
export type ConfigValue = boolean | number | string | readonly string[] | null;

/** The value of a setting cannot be what it was said to be. `message` is in Kafka's words where Kafka has words for it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The error that a client is answered with. */
  readonly errorName: 'INVALID_CONFIG' | 'INVALID_REQUEST';

  constructor(message: string, errorName: 'INVALID_CONFIG' | 'INVALID_REQUEST' = 'INVALID_CONFIG') {
    super(message);
    this.errorName = errorName;
  }
}

/** Kafka's sentence for a value that a setting does not take. `shown` is the value as Java would print it. */
export function invalidValue(name: string, shown: string, why: string): ConfigError {
  return new ConfigError(`Invalid value ${shown} for configuration ${name}: ${why}`);
}

const integerLimits = {
  short: [-32_768n, 32_767n],
  int: [-2_147_483_648n, 2_147_483_647n],
  long: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
} as const;

/**
 * A value of the type from its text. Lists lose later duplicates, as in Kafka 4.2.
 * @throws ConfigError when the text is not of the type; bounds are the row's business
 */
export function parseValue(name: string, type: ConfigType, text: string): ConfigValue {
  const trimmed = trimJava(text);
  switch (type) {
    case 'boolean':
      if (/^true$/i.test(trimmed)) return true;
      if (/^false$/i.test(trimmed)) return false;
      throw invalidValue(name, text, 'Expected value to be either true or false');
    case 'short':
    case 'int':
    case 'long': {
      const whole = parseInteger(trimmed, type);
      if (whole === undefined) throw invalidValue(name, text, `Not a number of type ${type.toUpperCase()}`);
      return clampToSafe(whole);
    }
    case 'double':
      // Java takes NaN and Infinity too; a ratio or a rate that is no number can only do harm.
      if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[fd]?$/i.test(trimmed) && Number.isFinite(Number.parseFloat(trimmed)))
        return Number.parseFloat(trimmed);
      throw invalidValue(name, text, 'Not a number of type DOUBLE');
    case 'list':
      return trimmed === '' ? [] : [...new Set(trimmed.split(/[ \t\n\v\f\r]*,[ \t\n\v\f\r]*/))];
    case 'string':
    case 'class':
    case 'password':
      break;
  }
  return trimmed;
}

/** The text in the form in which Kafka reports it: `+7` is 7, `TRUE` is true, `1` of a double is 1.0; all digits of a long are kept. */
export function canonicalText(name: string, type: ConfigType, text: string): string {
  if (type === 'short' || type === 'int' || type === 'long') {
    const whole = parseInteger(trimJava(text), type);
    if (whole !== undefined) return String(whole);
  }
  return formatValue(type, parseValue(name, type, text)) ?? '';
}

/** A typed value as text; null stays null. For longs beyond 2^53 use the text they came from. */
export function formatValue(type: ConfigType, value: ConfigValue): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value.join(',');
  if (type === 'double' && typeof value === 'number') return formatDouble(value);
  return String(value);
}

/** As Java's Double.toString: always a fraction, and an exponent outside 10^-3 .. 10^7. */
export function formatDouble(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** The nearest number that JavaScript holds exactly. The one place where a large integer of a setting loses digits. */
export function clampToSafe(value: number | bigint): number {
  if (typeof value === 'number') return value;
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}

function parseInteger(text: string, type: keyof typeof integerLimits): bigint | undefined {
  if (text.length > 64 || !/^[+-]?\d+$/.test(text)) return undefined;
  const whole = BigInt(text.startsWith('+') ? text.slice(1) : text);
  const [least, most] = integerLimits[type];
  return whole < least || whole > most ? undefined : whole;
}

/** Java's trim: everything up to the space character goes, other white space stays. */
function trimJava(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) <= 0x20) from += 1;
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to -= 1;
  return text.slice(from, to);
}
