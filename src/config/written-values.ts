// Values as people write them in files, variables, flags and options: besides Kafka's plain numbers also `1GiB` and `7d`.
// They are turned into Kafka's form at once, so everything behind this knows plain numbers only. What clients send over the
// wire never passes here: there Kafka's rules hold.

import type { Row, Unit } from './config-table.ts';
import { canonicalText, ConfigError } from './config-value.ts';

/** Powers of 1024 carry an i, as everywhere; a bare K or M would leave it open and is not taken. */
const sizes: Readonly<Record<string, bigint>> = {
  b: 1n,
  kb: 1000n,
  mb: 1000n ** 2n,
  gb: 1000n ** 3n,
  tb: 1000n ** 4n,
  kib: 1024n,
  mib: 1024n ** 2n,
  gib: 1024n ** 3n,
  tib: 1024n ** 4n,
};
const durations: Readonly<Record<string, bigint>> = {
  ms: 1n,
  s: 1000n,
  m: 60_000n,
  min: 60_000n,
  h: 3_600_000n,
  d: 86_400_000n,
  w: 604_800_000n,
};
const unitSize: Readonly<Record<Unit, bigint>> = { bytes: 1n, ms: 1n, seconds: 1000n, minutes: 60_000n, hours: 3_600_000n };

/**
 * Kafka's text for what was written: sizes and durations become plain numbers in the row's unit, everything else its canonical form.
 * @throws ConfigError when it is not of the row's type, or its unit does not fit; bounds are checked by the row
 */
export function plainText(row: Row, written: string): string {
  const amount = row.unit === undefined ? null : /^\s*([+-]?)(\d{1,20})(?:\.(\d{1,9}))?\s*([a-z]+)\s*$/i.exec(written);
  if (row.unit === undefined || amount === null) return canonicalText(row.name, row.type, written);
  const [, sign = '', whole = '', fraction = '', unit = ''] = amount;
  const size = row.unit === 'bytes' ? sizes[unit.toLowerCase()] : durations[unit];
  if (size === undefined) {
    const known = row.unit === 'bytes' ? 'B, kB, MB, GB, TB, KiB, MiB, GiB, TiB' : 'ms, s, m, h, d, w';
    throw new ConfigError(
      `Invalid value ${written} for configuration ${row.name}: '${unit}' is not a unit; write a plain number of ${row.unit} or one with ${known}`,
    );
  }
  const inUnit = BigInt(whole + fraction) * size;
  const one = 10n ** BigInt(fraction.length) * unitSize[row.unit];
  if (inUnit % one !== 0n)
    throw new ConfigError(`Invalid value ${written} for configuration ${row.name}: it is not a whole number of ${row.unit}`);
  return canonicalText(row.name, row.type, `${sign}${inUnit / one}`);
}
