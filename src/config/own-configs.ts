// The settings that are ours alone: how much memory and how many files the log may use, and what is written to our own log.

import { boolean, bytes, configTable, int, list, MiB, oneOf } from './config-table.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export const ownConfigs = configTable({
  'storage.cache.bytes': bytes({
    default: 64 * MiB,
    min: 0,
    doc: 'How much memory the tail cache may hold: the newest batches, which consumers that keep up read without touching the disk. Unset, a program in a container takes no more than a sixteenth of what that allows.',
  }),
  'storage.open.files.max': int({
    default: 0,
    min: 0,
    doc: 'How many files of logs may be open at a time; 0 takes what the process is allowed, less a reserve.',
  }),
  'storage.reserve.bytes': bytes({
    default: 4 * MiB,
    min: 0,
    doc: 'How much room is kept on the disk of each log dir for the time when it is full: committed offsets, metadata and a clean stop are still written then. 0 keeps none.',
  }),
  'storage.lost.log.dirs': list({
    default: [],
    doc: 'Log dirs that are gone for good, by the directory.id that the refused start named. Their partitions begin again, empty; without this a start is refused when a log dir is missing.',
  }),
  'storage.replication.factor.clamp': boolean({
    default: false,
    doc: 'Whether a topic that asks for more replicas than there are brokers gets as many as there are; if not, it is refused with INVALID_REPLICATION_FACTOR, as Kafka does.',
  }),
  'log.level': oneOf(logLevels, { default: 'info', doc: 'From what weight on events are written to the broker’s own log.' }),
});
