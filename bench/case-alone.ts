// The benches that stand alone, each a file of its own: codec, idle connections, committed offsets by the million, the log
// cleaner, and rebalances on the clock of the members. No Kafka here; each has what it is compared with in itself.
import { spawnSync } from 'node:child_process';
import { figureOf, playAlone } from './alone.ts';
import type { Case } from './bench-context.ts';
import { Comparison, type Unit } from './comparison.ts';
import { bucketrider } from './parties.ts';

const connectionsCase: Case = {
  name: 'connections',
  title: 'Idle connections: resident memory of the server for each',
  async run({ quick }) {
    const count = Math.min(quick ? 1000 : 10_000, openFileLimit() - 200);
    const figures = await playAlone('connections.ts', [String(count)], ['--expose-gc']);
    const comparison = new Comparison({
      title: `${count.toLocaleString('en')} idle connections: resident memory of the server for each`,
      unit: 'KiB',
      goals: [{ of: bucketrider.name, wanted: 30, atMost: true, says: '30 KiB each' }],
    });
    for (const each of figureOf(figures, 'rss KiB each')) comparison.add(bucketrider.name, each);
    return [comparison];
  },
};

function openFileLimit(): number {
  const said = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  return said === 'unlimited' ? Infinity : Number(said) || 1024;
}

const codecCase: Case = {
  name: 'codec',
  title: 'Compiled codecs beside code written by hand',
  async run() {
    const figures = await playAlone('codec.ts', ['--quick']);
    const comparison = new Comparison({
      title: `${this.title}: time for the same work, Produce and Fetch, oldest and newest versions, the worst of all`,
      unit: 'times',
      goals: [{ of: 'compiled', to: 'by hand', wanted: 1.5, atMost: true, says: 'within 1.5 times' }],
    });
    comparison.add('compiled', Math.max(...figureOf(figures, 'time, by hand = 1')));
    comparison.add('by hand', 1);
    return [comparison];
  },
};

const offsetsCase: Case = {
  name: 'offsets',
  title: 'Committed offsets by the million: loading, cleaning, and the longest turn of the event loop meanwhile',
  async run({ quick, dataParent }) {
    const count = quick ? 100_000 : 1_000_000;
    const figures = await playAlone('offsets.ts', [String(count), '--data', dataParent]);
    const about = `${count.toLocaleString('en')} committed offsets, each committed three times`;
    const times = new Comparison({ title: `${about}: from the start of the broker until all groups answer`, unit: 's' });
    const turns = new Comparison({
      title: `${about}: the longest turn of the event loop, processor time`,
      unit: 'ms',
      goals: ['loading', 'cleaning'].map((of) => ({ of, wanted: 100, atMost: true, says: `no stall over 100 ms while ${of}` })),
    });
    const add = (comparison: Comparison, row: string, name: string): void => {
      for (const value of figureOf(figures, name)) comparison.add(row, value);
    };
    add(times, 'after a clean stop, not cleaned yet', 'seconds, uncleaned');
    add(times, 'cleaned', 'seconds, cleaned');
    add(turns, 'loading', 'turn ms, uncleaned');
    add(turns, 'cleaning', 'turn ms, cleaning');
    return [times, turns];
  },
};

const CLEANED = ['none, thread', 'none, event loop', 'lz4, thread', 'zstd, thread'];

const cleanerCase: Case = {
  name: 'cleaner',
  title: 'The log cleaner beside a copy of the same files, and beside a walk over their batches',
  async run({ long, dataParent, rounds }) {
    const megabytes = long ? 256 : 96; // segments of 32 MiB, and the last is not cleaned
    const figures = await playAlone('cleaner.ts', [String(megabytes), '--data', dataParent, '--rounds', String(long ? rounds : 1)]);
    return CLEANED.map((what) => {
      const comparison = new Comparison({
        title: `Cleaning ${megabytes} MB of files with commits, 100 a batch (${what})`,
        unit: 'MB/s',
        goals: [
          { of: 'cleaner', to: 'copy', says: 'beside a copy that is synced' },
          { of: 'cleaner', to: 'walk', says: 'beside reading and stepping over batches' },
        ],
      });
      for (const party of ['cleaner', 'copy', 'walk'])
        for (const rate of figureOf(figures, `${what}: ${party}`)) comparison.add(party, rate);
      return comparison;
    });
  },
};

const intervalsCase: Case = {
  name: 'groups-intervals',
  title: 'Rebalances at the usual heartbeat intervals, on the clock of the members, everything in memory',
  async run({ quick }) {
    const figures = await playAlone('groups-intervals.ts', quick ? ['100'] : ['100', '1000']);
    const comparisonOf = (kind: string, title: string, unit: Unit): Comparison => {
      const comparison = new Comparison({ title, unit });
      for (const [name, values] of figures)
        if (name.startsWith(`${kind}: `)) for (const value of values) comparison.add(name.slice(kind.length + 2), value);
      return comparison;
    };
    return [
      comparisonOf('seconds', this.title, 's'),
      comparisonOf('cpu ms', `${this.title}: processor time of broker and members together`, 'ms'),
    ];
  },
};

export const aloneCases: readonly Case[] = [intervalsCase, offsetsCase, cleanerCase, connectionsCase, codecCase];
