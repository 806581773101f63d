// What the commands for a cluster share in the tree: their common flags, and an action that is loaded when it is called.
import { Option, type Command } from 'commander';

export const outputHelp = 'table, wide, json, jsonl, yaml or name (default: table)';

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

/** A command that talks to a cluster: the flags they all share, and an action that is loaded when it is called. */
export function forCluster(command: Command, load: () => Promise<(words: string[], flags: never) => Promise<number>>): void {
  command
    .optionsGroup('For every cluster:')
    .option('-b, --brokers <list>', 'brokers, as host:port with commas (default: KAFKA_BROKERS, or localhost:9092)')
    .addOption(new Option('--bootstrap-server <list>', 'the same').hideHelp())
    .option('-X, --property <key=value>', "a property of Kafka's clients; repeatable", collect)
    .option('--command-config <file>', 'a file of such properties')
    .option('--timeout <time>', 'how long a request may take (default: 10s)')
    .option('-q, --quiet', 'no messages on standard error but errors')
    .option('--json-errors', 'errors as one line of JSON on standard error')
    .action(async (...given: unknown[]) => {
      // Commander gives the arguments, the options and the command; the names of the options are those of the flags.
      const first = given.length === 3 ? given[0] : [];
      const words = Array.isArray(first) ? (first as string[]) : typeof first === 'string' ? [first] : [];
      const run = await load();
      process.exitCode = await run(words, given.at(-2) as never);
    });
}
