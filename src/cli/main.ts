// The command `bucketrider`: reads the words of the command line and hands each command to its own file, which is
// loaded only then, so that a start does not pay for what it does not use.
import { Command } from 'commander';
import { version } from './version.ts';

const collect = (value: string, before: string[]): string[] => [...before, value];

const program = new Command('bucketrider')
  .description('A Kafka-compatible broker that is an npm package')
  .version(version)
  .showHelpAfterError('(bucketrider --help lists the commands)');

program
  .command('start', { isDefault: true })
  .description('run a broker')
  .option('--port <number>', 'port to listen on; 0 takes a free one')
  .option('--host <address>', 'address to listen on (default: loopback)')
  .option('--data <directory>', 'where the data lies')
  .option('-c, --config <file>', "a properties file with Kafka's names")
  .option('--set <key=value>', 'one setting; repeatable', collect, [])
  .action(async (options: { port?: string; host?: string; data?: string; config?: string; set: string[] }) => {
    const { start } = await import('./start.ts');
    process.exitCode = await start(options);
  });

await program.parseAsync();
