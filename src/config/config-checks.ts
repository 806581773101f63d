// The rules that a setting's value may have to keep, each with the sentence in which Kafka says that it was broken
// (org.apache.kafka.common.config.ConfigDef). Pure functions over one value; rules between settings stand with the tables.

import { ConfigError, invalidValue, type ConfigValue } from './config-value.ts';

/**
 * `shown` is the value as text, with all digits of a large number.
 * @throws ConfigError when `value` is not one that the setting takes
 */
export type Check = (name: string, value: ConfigValue, shown: string) => void;

export interface Rule {
  readonly check: Check;
  /** What is valid, as Kafka's documentation writes it. */
  readonly valid: string;
}

export const noCheck: Check = () => undefined;

/** Both bounds inclusive. */
export function bounded(min: number | undefined, max: number | undefined): Rule {
  if (min === undefined && max === undefined) return { check: noCheck, valid: '' };
  return {
    check(name, value, shown) {
      if (typeof value !== 'number') return; // null: not set, and then another setting decides
      if (min !== undefined && value < min) throw invalidValue(name, shown, `Value must be at least ${min}`);
      if (max !== undefined && value > max) throw invalidValue(name, shown, `Value must be no more than ${max}`);
    },
    valid: max === undefined ? `[${min},...]` : min === undefined ? `[...,${max}]` : `[${min},...,${max}]`,
  };
}

/** gzip's levels: 1 to 9, or -1 for the library's own choice. */
export const gzipLevel: Rule = {
  check(name, value) {
    if (value === -1 || (typeof value === 'number' && value >= 1 && value <= 9)) return;
    throw invalidValue(name, String(value), 'Value must be between 1 and 9 or equal to -1');
  },
  valid: '[1,...,9] or -1',
};

export function oneOfText(values: readonly string[]): Rule {
  return {
    check(name, value) {
      if (typeof value === 'string' && values.includes(value)) return;
      throw invalidValue(name, String(value), `String must be one of: ${values.join(', ')}`);
    },
    valid: `[${values.join(', ')}]`,
  };
}

export function oneOfTextAnyCase(values: readonly string[]): Rule {
  const upper = values.map((value) => value.toUpperCase());
  return {
    check(name, value) {
      if (typeof value === 'string' && upper.includes(value.toUpperCase())) return;
      throw invalidValue(name, String(value), `String must be one of (case insensitive): ${upper.join(', ')}`);
    },
    valid: `(case insensitive) [${upper.join(', ')}]`,
  };
}

export function uniqueList({ mayBeEmpty, what = 'any non-empty value' }: { mayBeEmpty: boolean; what?: string }): Check {
  return (name, value) => {
    if (!Array.isArray(value)) return;
    if (value.length === 0 && !mayBeEmpty)
      throw new ConfigError(`Configuration '${name}' must not be empty. Valid values include: ${what}`);
    if (value.includes('')) throw new ConfigError(`Configuration '${name}' values must not be empty.`);
  };
}

export function eachOf(values: readonly string[], { mayBeEmpty }: { mayBeEmpty: boolean }): Rule {
  const text = oneOfText(values);
  const listed = uniqueList({ mayBeEmpty, what: text.valid });
  return {
    check(name, value, shown) {
      listed(name, value, shown);
      if (Array.isArray(value)) for (const entry of value) text.check(name, entry, entry);
    },
    valid: text.valid,
  };
}

export const throttledReplicas: Rule = {
  check(name, value) {
    const entries = Array.isArray(value) ? value : [];
    if (entries.every((entry) => /^(\d+:\d+)?$/.test(entry)) || entries.join('') === '*') return;
    throw invalidValue(
      name,
      `[${entries.join(', ')}]`,
      `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
    );
  },
  valid: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
};
