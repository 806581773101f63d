// Record batches as Apache Kafka's Java client (kafka-clients 4.2.1) builds them, recorded once: MemoryRecords.builder and its helpers.
// All but the last two hold `javaRecords`.

export const javaRecords = [
  { timestamp: 1_700_000_000_000, key: 'alpha', value: 'one one one one one one one one one one one one', headers: [] },
  {
    timestamp: 1_700_000_000_005,
    key: null,
    value: 'two',
    headers: [
      { key: 'trace', value: 't-1' },
      { key: 'nothing', value: null },
    ],
  },
  { timestamp: 1_699_999_999_990, key: 'gamma', value: null, headers: [] },
  { timestamp: 1_700_000_000_001, key: '', value: '', headers: [] },
];

const recorded = {
  none: 'AAAAAAAAAAAAAACc/////wJ9iLc4AAAAAAADAAABi8/laAAAAAGLz+VoBf//////////////////AAAABHQAAAAKYWxwaGFeb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUAOAAKAgEGdHdvBAp0cmFjZQZ0LTEObm90aGluZwEWABMECmdhbW1hAQAMAAIGAAAA',
  gzip: 'AAAAAAAAAAAAAACG/////wIaLeDRAAEAAAADAAABi8/laAAAAAGLz+VoBf//////////////////AAAABB+LCAAAAAAAAP8rYWBg4ErMKchIjMvPS1UgATNYMHAxMbKVlOezcJUUJSanspXoGvLl5ZdkZOalM4oxCLNwpSfm5iYyMvAwMLEBrQEAyV/mz2sAAAA=',
  snappy:
    'AAAAAAAAAAAAAACL/////wIaWoIMAAIAAAADAAABi8/laAAAAAGLz+VoBf//////////////////AAAABIJTTkFQUFkAAAAAAQAAAAEAAABGazh0AAAACmFscGhhXm9uZSCqBADAADgACgIBBnR3bwQKdHJhY2UGdC0xDm5vdGhpbmcBFgATBApnYW1tYQEADAACBgAAAA==',
  lz4: 'AAAAAAAAAAAAAACH/////wJ5yYn9AAMAAAADAAABi8/laAAAAAGLz+VoBf//////////////////AAAABAQiTRhgQIJHAAAA/wB0AAAACmFscGhhXm9uZSAEABjwIgA4AAoCAQZ0d28ECnRyYWNlBnQtMQ5ub3RoaW5nARYAEwQKZ2FtbWEBAAwAAgYAAAAAAAAA',
  zstd: 'AAAAAAAAAAAAAACB/////wIyo47EAAQAAAADAAABi8/laAAAAAGLz+VoBf//////////////////AAAABCi1L/0AWCQCAAIEDxeQuQ0gyN/lQkJTYncwjKpqWOuCtBOZAv/xPP20NV2Jggu3NmHNCxREo0KU6UTcNN7JGx/U8qFsUTT/dwEAbLo6AQAA',
  'lz4 level 12':
    'AAAAAAAAAAAAAACH/////wJ5yYn9AAMAAAADAAABi8/laAAAAAGLz+VoBf//////////////////AAAABAQiTRhgQIJHAAAA/wB0AAAACmFscGhhXm9uZSAEABjwIgA4AAoCAQZ0d28ECnRyYWNlBnQtMQ5ub3RoaW5nARYAEwQKZ2FtbWEBAAwAAgYAAAAAAAAA',
  transactional:
    'AAAAAAAAAAAAAACc/////wKQBi9vABAAAAADAAABi8/laAAAAAGLz+VoBQAAAAAAAA+hAAN////+AAAABHQAAAAKYWxwaGFeb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUAOAAKAgEGdHdvBAp0cmFjZQZ0LTEObm90aGluZwEWABMECmdhbW1hAQAMAAIGAAAA',
  'log append time':
    'AAAAAAAAAAAAAACc/////wIjRpWDAAgAAAADAAABi8/laAAAAAGLz+Vs0v//////////////////AAAABHQAAAAKYWxwaGFeb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUAOAAKAgEGdHdvBAp0cmFjZQZ0LTEObm90aGluZwEWABMECmdhbW1hAQAMAAIGAAAA',
  marker: 'AAAAAAAAAE0AAABCAAAABQKYguswADAAAAAAAAABi8/laAAAAAGLz+VoAAAAAAAAAA+hAAP/////AAAAASAAAAAIAAAAAQwAAAAAAAkA',
  emptied: 'AAAAAAAAAGQAAAAxAAAABwI+1JEcAAAAAAAE//////////8AAAGLz+VoBQAAAAAAAA+hAAMAAAAKAAAAAA==',
} as const;

/** Of producer 4001, epoch 3, where a producer is named; each call gives bytes of its own. */
export const javaBatch = (name: keyof typeof recorded): Buffer => Buffer.from(recorded[name], 'base64');
