// The tree of commands: names, flags and help. What a command does is in a file of its own, loaded when it is called, so
// that `topic list` does not pay for `start`.
import { Command, Option } from 'commander';
import { suggest } from '../config/suggest.ts';
import { collect, forCluster, outputHelp } from './cluster-command.ts';
import { usageError } from './exit-codes.ts';
import { addGroup } from './group-commands.ts';
import type { StartFlags } from './start-settings.ts';
import { version } from './version.ts';

/** What adds commands to the tree, and the words that begin them. */
const parts: readonly { readonly names: readonly string[]; readonly add: (program: Command) => void }[] = [
  { names: ['start'], add: addStart },
  { names: ['topic', 'topics'], add: addTopic },
  { names: ['produce', 'consume', 'tail'], add: addRecords },
  { names: ['group', 'groups'], add: addGroup },
  { names: ['cluster', 'version', 'completion'], add: addAbout },
];

/** The part that these words need; undefined where the whole tree is: for help, and to say what was perhaps meant. */
function neededPart([first = 'start', ...rest]: readonly string[]): string | undefined {
  if (parts.some(({ names }) => names.includes(first))) return first;
  return first.startsWith('-') && ![first, ...rest].some((word) => ['-h', '--help', '--version'].includes(word)) ? 'start' : undefined;
}

/** With `words`, commands that they do not call have their names alone: the flags of all take 5 ms to put together. */
export function makeProgram(words?: readonly string[]): Command {
  const program = new Command('bucketrider')
    .description('A Kafka-compatible broker that is an npm package. Without a command it starts the broker.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
    .exitOverride() // inherited: what is wrong with the words is thrown, once it has been said
    .configureHelp({ sortSubcommands: false });
  const needed = words && neededPart(words);
  for (const { names, add } of parts)
    if (needed === undefined || names.includes(needed)) add(program);
    else for (const name of names) program.command(name);
  return program;
}

function addTopic(program: Command): void {
  const topic = program
    .command('topic')
    .alias('topics')
    .summary('list, create, describe, delete and grow topics')
    .helpOption('-h, --help', 'show help');
  forCluster(
    topic
      .command('list')
      .alias('ls')
      .description('List the topics, or those that are named.')
      .argument('[topic...]')
      .option('--regex', 'the words are patterns for whole names')
      .option('--internal', 'also those that Kafka keeps for itself')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./topic-list.ts')).topicList,
  );
  forCluster(
    topic
      .command('create')
      .description('Create topics.')
      .argument('<topic...>')
      .option('-p, --partitions <number>', "how many partitions each has (default: the broker's num.partitions)")
      .option('-r, --replication-factor <number>', "how many replicas each partition has (default: the broker's)")
      .option('-c, --config <key=value>', 'a setting; repeatable', collect)
      .option('--compact', 'the same as -c cleanup.policy=compact')
      .option('--if-not-exists', 'a topic that is there already is no failure')
      .option('--dry-run', 'only ask whether it could be done')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./topic-create.ts')).topicCreate,
  );
  forCluster(
    topic
      .command('describe')
      .description('Show partitions, offsets and settings of topics, of all when none is named.')
      .argument('[topic...]')
      .option('--all', 'all settings, not only those that the topic sets itself')
      .option('--regex', 'the words are patterns for whole names')
      .option('--internal', 'also those that Kafka keeps for itself')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./topic-describe.ts')).topicDescribe,
  );
  forCluster(
    topic
      .command('delete')
      .alias('rm')
      .description('Delete topics and all their records. Asks first.')
      .argument('<topic...>')
      .option('--regex', 'the words are patterns for whole names')
      .option('--if-exists', 'a topic that is not there is no failure')
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'only show what would be deleted')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./topic-delete.ts')).topicDelete,
  );
  forCluster(
    topic
      .command('add-partitions')
      .description('Give topics more partitions.')
      .argument('<topic...>')
      .option('-n, --num <number>', 'how many to add')
      .option('-p, --partitions <total>', 'how many there are to be')
      .option('--dry-run', 'only ask whether it could be done')
      .option('-o, --output <format>', outputHelp),
    async () => (await import('./topic-add-partitions.ts')).topicAddPartitions,
  );
}

function addStart(program: Command): void {
  program
    .command('start', { isDefault: true })
    .summary('run a broker (also without a command)')
    .description('Run a broker until Ctrl-C or SIGTERM. With -- COMMAND, run the command against it and stop when the command ends.')
    .usage('[options] [-- COMMAND [ARGS...]]')
    .option('--port <number>', 'port to listen on; 0 takes a free one (default: 9092)')
    .option('--host <address>', "name or address to listen on; '*' is every interface (default: localhost)")
    .option('--data <directory>', "where the data lies (default: a folder under the user's data)")
    .option('--memory', 'keep everything in memory; nothing is left when it ends')
    .option('-c, --config <file>', "a properties file with Kafka's names; repeatable, later ones win", collect)
    .option('--set <key=value>', "one setting by Kafka's name; repeatable", collect)
    .option('--topic <name:partitions[:key=value]>', 'a topic to make if it is not there; repeatable', collect)
    .option('--lenient', 'warn of unknown settings instead of refusing them')
    .argument('[command...]', 'after --: a command to run with KAFKA_BROKERS set')
    .action(async (words: string[], flags: StartFlags) => {
      checkOperands(program, words);
      const { start } = await import('./start.ts');
      process.exitCode = await start(flags, words);
    });
}

function addRecords(program: Command): void {
  forCluster(
    program
      .command('produce')
      .summary('write lines of standard input to a topic')
      .description('Write records to a topic: each line of standard input is one.')
      .argument('<topic...>')
      .usage('[options] <topic>')
      .option('-k, --key <text>', 'the key of every record')
      .option('-K, --key-delimiter <text>', "the key is what stands before this in each line; '\\t' is a tab")
      .option('-H, --header <name=value>', 'a header of every record; repeatable', collect)
      .option('-p, --partition <number>', 'the partition (default: by the key)')
      .option('-z, --compression <codec>', 'none, gzip, snappy, lz4 or zstd (default: none)')
      .option('-Z, --tombstone', 'an empty value is sent as null')
      .option('-D, --delimiter <text>', 'what ends a record of the input (default: a line break)')
      .option('--json', 'each line is a record as JSON, as consume --output jsonl writes it')
      .option('--acks <all|1|0>', 'who must have a record before it counts (default: all)')
      .option('-o, --output <format>', 'json: a summary; jsonl: where each record went (default: neither)'),
    async () => (await import('./produce.ts')).produce,
  );
  forCluster(
    program
      .command('consume')
      .summary('print the records of topics')
      .description('Print records: from the start of the topics and on for ever, unless told otherwise.')
      .argument('<topic...>')
      .option('-o, --offset <place>', 'where to begin, or begin:end: start, end, 5, -10, @2h, @2026-01-31, :end; repeatable', collect)
      .option('--from-beginning', 'from the start of the topics (the default)')
      .option('-e, --exit', 'stop at the end, as it is now')
      .option('-n, --num <count>', 'stop after so many records')
      .addOption(new Option('--max-messages <count>', 'the same').hideHelp())
      .option('-p, --partition <number>', 'only these partitions; with commas or repeatable', collect)
      .option('-g, --group <group>', 'read as a member of this group: on from where it has read to, shared with its other members')
      .option('--group-protocol <protocol>', 'classic, or consumer (KIP-848) (default: classic)')
      .option('--instance <name>', 'the name of a static member: its partitions are kept for it while it is away (KIP-345)')
      .option('--session-timeout <time>', 'after how long of silence the group goes on without it (default: 45s)')
      .option('--commit-interval <time>', 'how often what was written is committed (default: 5s)')
      .option('-f, --format <text>', "how to write a record, in kcat's and rpk's tokens: '%t/%p@%o %k=%v\\n'")
      .option('--output <format>', 'value, table, json or jsonl (default: value); -o takes these words too')
      .option('-J, --jsonl', 'the same as --output jsonl')
      .option('--read-committed', 'leave out what aborted transactions wrote'),
    async () => (await import('./consume.ts')).consume,
  );
  forCluster(
    program
      .command('tail')
      .summary('follow topics from their end')
      .description('Follow topics from their end, several of them interleaved by time.')
      .argument('<topic...>')
      .option('-n, --num <count>', 'begin with the last so many records (default: 0)')
      .option('-p, --partition <number>', 'only these partitions; with commas or repeatable', collect)
      .option('-f, --format <text>', "how to write a record, in kcat's and rpk's tokens")
      .option('-o, --output <format>', 'text or jsonl (default: text)')
      .option('--read-committed', 'leave out what aborted transactions wrote'),
    async () => (await import('./tail.ts')).tail,
  );
}

function addAbout(program: Command): void {
  const cluster = program.command('cluster').summary('show what a cluster is').helpOption('-h, --help', 'show help');
  forCluster(
    cluster
      .command('info')
      .description('Show the cluster: its id, its brokers as clients reach them, how much it holds.')
      .option('-o, --output <format>', 'table, json, jsonl or yaml (default: table)'),
    async () => (await import('./cluster-info.ts')).clusterInfo,
  );
  program
    .command('version')
    .description('Print the version of this program and of its Node.js.')
    .action(() => void process.stdout.write(`bucketrider ${version} (Node.js ${process.version})\n`));
  program
    .command('completion')
    .description(
      'Print the completion of a shell: source <(bucketrider completion bash), the same with zsh, or: bucketrider completion fish | source',
    )
    .argument('<shell>')
    .action(async (shell: string) => {
      const { completionScript } = await import('./completion.ts');
      process.stdout.write(completionScript(shell, makeProgram()));
    });
}

/** A bare word is a command that does not exist; words after -- are the command to run. */
function checkOperands(program: Command, words: readonly string[]): void {
  const [first] = words;
  if (first === undefined || process.argv.indexOf('--') === process.argv.length - words.length - 1) return;
  const near = suggest(
    first,
    program.commands.map((command) => command.name()),
  );
  throw usageError(
    `there is no command '${first}'`,
    ...(near === undefined ? [] : [`did you mean: bucketrider ${near}`]),
    'bucketrider --help lists the commands',
  );
}

/** `bucketrider -- npm test`: the words behind the dashes are never a command of ours. */
export function withExplicitStart(program: Command, words: readonly string[]): string[] {
  const dashes = words.indexOf('--');
  const names = new Set(program.commands.flatMap((command) => [command.name(), ...command.aliases()]));
  if (dashes < 0 || words.slice(0, dashes).some((word) => names.has(word) || word === 'help')) return [...words];
  return ['start', ...words];
}
