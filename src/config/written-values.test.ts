import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerConfigs } from './broker-configs.ts';
import { ConfigError } from './config-value.ts';
import { plainText } from './written-values.ts';

const written: readonly [name: keyof typeof brokerConfigs, written: string, text: string][] = [
  ['log.segment.bytes', '1GiB', '1073741824'],
  ['log.segment.bytes', '1.5 gib', '1610612736'],
  ['log.segment.bytes', '64MB', '64000000'],
  ['log.segment.bytes', '64MiB', '67108864'],
  ['message.max.bytes', '900kB', '900000'],
  ['message.max.bytes', '512B', '512'],
  ['storage.cache.bytes', '0.5TiB', '549755813888'],
  ['log.retention.ms', '7d', '604800000'],
  ['log.retention.ms', '1.5h', '5400000'],
  ['log.retention.ms', '2w', '1209600000'],
  ['log.retention.ms', '90s', '90000'],
  ['log.retention.ms', '15m', '900000'],
  ['log.retention.ms', '15min', '900000'],
  ['log.retention.ms', '250ms', '250'],
  ['log.retention.ms', '-1', '-1'],
  ['log.retention.ms', ' +7 ', '7'],
  ['log.retention.hours', '7d', '168'],
  ['offsets.retention.minutes', '1w', '10080'],
  ['quota.window.size.seconds', '2s', '2'],
  ['log.flush.interval.messages', '9223372036854775807', '9223372036854775807'],
  ['auto.create.topics.enable', ' FALSE', 'false'],
  ['log.cleaner.min.cleanable.ratio', '1', '1.0'],
  ['log.cleanup.policy', 'compact , delete', 'compact,delete'],
  ['broker.rack', '7d', '7d'],
];

for (const [name, text, expected] of written)
  test(`${name}=${text} means ${expected}`, () => assert.equal(plainText(brokerConfigs[name], text), expected));

const refused: readonly [name: keyof typeof brokerConfigs, written: string, message: RegExp][] = [
  ['log.segment.bytes', '1G', /'G' is not a unit; write a plain number of bytes or one with B, kB, MB/],
  ['log.segment.bytes', '5GiB', /Not a number of type INT/],
  ['log.retention.ms', '7D', /'D' is not a unit; .* ms, s, m, h, d, w/],
  ['log.retention.ms', '7 MiB', /'MiB' is not a unit/],
  ['log.retention.hours', '90m', /not a whole number of hours/],
  ['message.max.bytes', '1.5B', /not a whole number of bytes/],
  ['log.retention.ms', 'd', /Not a number of type LONG/],
  ['num.partitions', '3d', /Not a number of type INT/],
];

for (const [name, text, message] of refused)
  test(`${name}=${text} is refused with a reason`, () => {
    assert.throws(
      () => plainText(brokerConfigs[name], text),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  });
