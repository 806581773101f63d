// The commands about groups in the tree: names, flags and help, with the names that Kafka's own tool has for the same.
import { Option, type Command } from 'commander';
import { collect, forCluster, outputHelp } from './cluster-command.ts';

const hidden = (flags: string, description: string): Option => new Option(flags, description).hideHelp();
const groupOption = (): Option => hidden('--group <group>', 'the same as naming it').argParser(collect);

/** A command for groups that are named, or for all. */
const forGroups = (command: Command): Command =>
  command
    .argument('[group...]')
    .option('--regex', 'the words are patterns for whole names')
    .option('--all-groups', 'all groups')
    .addOption(groupOption());

export function addGroup(program: Command): void {
  const group = program
    .command('group')
    .alias('groups')
    .summary('list, describe, watch, reset, delete and check consumer groups')
    .helpOption('-h, --help', 'show help');
  addLooks(group);
  addChanges(group);
}

function addLooks(group: Command): void {
  forCluster(
    group
      .command('list')
      .alias('ls')
      .description('List the groups, or those that are named.')
      .argument('[group...]')
      .option('--regex', 'the words are patterns for whole names')
      .option('--state <state>', 'only those in this state (Stable, Empty, ...); with commas or repeatable', collect)
      .option('--type <type>', 'only those of this type (classic, consumer, ...); with commas or repeatable', collect)
      .addOption(groupOption())
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./group-list.ts')).groupList,
  );
  forCluster(
    forGroups(group.command('describe'))
      .description('Show state, members, assignments, offsets and lag of groups, of all when none is named.')
      .option('--members', 'only the members')
      .option('--offsets', 'only the partitions, with offsets and lag')
      .addOption(hidden('--state', 'only the state'))
      .addOption(hidden('--verbose', 'the same as -o wide'))
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./group-describe.ts')).groupDescribe,
  );
  forCluster(
    forGroups(group.command('watch'))
      .description('Follow the lag of groups: a table that is drawn anew on a terminal, a line of JSON each time elsewhere.')
      .option('--interval <time>', 'how often (default: 2s)')
      .option('-n, --num <count>', 'stop after so many times'),
    async () => (await import('./group-watch.ts')).groupWatch,
  );
  forCluster(
    forGroups(group.command('check'))
      .description('Ends with 7 when the lag of a group is above a limit, for scripts and CI.')
      .option('--max-lag <records>', 'how many records a group may be behind, all partitions together')
      .option('--max-lag-time <time>', 'how old the oldest record that is not read yet may be: 30s, 5m')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./group-check.ts')).groupCheck,
  );
}

function addChanges(group: Command): void {
  forCluster(
    forGroups(group.command('reset'))
      .description('Say where groups are to read on. Shows what would change; does it with --execute.')
      .option('--to <place>', 'start, end, current, an offset, +10, -10, @2h, @2026-01-31, group:NAME or file:PATH')
      .option('--topic <topic[:partition,...]>', 'only this topic, or these partitions of it; repeatable', collect)
      .option('--all-topics', 'all that the group has committed (the default)')
      .option('--execute', 'do it; asks first on a terminal')
      .option('-y, --yes', 'do it, and do not ask')
      .option('--dry-run', 'only show what would change (the default)')
      .option('-o, --output <format>', 'table, wide, json, jsonl, yaml, name, or csv: what --to file:PATH reads (default: table)')
      .addOption(hidden('--to-earliest', '--to start'))
      .addOption(hidden('--to-latest', '--to end'))
      .addOption(hidden('--to-current', '--to current'))
      .addOption(hidden('--to-offset <offset>', '--to OFFSET'))
      .addOption(hidden('--shift-by <number>', '--to +N or -N'))
      .addOption(hidden('--to-datetime <time>', '--to @TIME'))
      .addOption(hidden('--by-duration <duration>', '--to @DURATION'))
      .addOption(hidden('--from-file <file>', '--to file:PATH'))
      .addOption(hidden('--export', '-o csv')),
    async () => (await import('./group-reset.ts')).groupReset,
  );
  forCluster(
    forGroups(group.command('delete'))
      .alias('rm')
      .description('Delete groups and all that they have committed. Asks first.')
      .option('--if-exists', 'a group that is not there is no failure')
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'only show what would be deleted')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./group-delete.ts')).groupDelete,
  );
  forCluster(
    group
      .command('delete-offsets')
      .description('Make a group forget how far it has read topics that it does not read at the moment. Asks first.')
      .argument('[group]')
      .addOption(groupOption())
      .option('--topic <topic[:partition,...]>', 'this topic, or these partitions of it; repeatable', collect)
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'only show what would be deleted')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./group-delete-offsets.ts')).groupDeleteOffsets,
  );
}
