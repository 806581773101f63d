// The tree of commands: names, flags and help. What a command does is in a file of its own, loaded when it is called, so
// that `topic list` does not pay for `start`.
import { Command } from 'commander';
import { suggest } from '../config/suggest.ts';
import { usageError } from './exit-codes.ts';
import type { StartFlags } from './start-settings.ts';
import { version } from './version.ts';

const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

export function makeProgram(): Command {
  const program = new Command('bucketrider')
    .description('A Kafka-compatible broker that is an npm package. Without a command it starts the broker.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
    .exitOverride() // inherited: what is wrong with the words is thrown, once it has been said
    .configureHelp({ sortSubcommands: false });
  addStart(program);
  return program;
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
