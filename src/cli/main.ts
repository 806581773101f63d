// The command `bucketrider`: hands the words of the command line to the tree of commands, and turns how it went into an
// exit code.
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { makeProgram, withExplicitStart } from './program.ts';

async function main(): Promise<void> {
  // Whoever read our output has what it wanted (`| head`): quiet. What that ends, each command knows.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const words = process.argv.slice(2);
  const program = makeProgram(words);
  try {
    await program.parseAsync(withExplicitStart(program, words), { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      // Help and version were asked for, or commander has said what is wrong with the words.
      process.exitCode = thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
      return;
    }
    const { failureOf, reportFailure } = await import('./report-failure.ts');
    const failure = failureOf(thrown);
    reportFailure(failure, { json: process.argv.includes('--json-errors') });
    process.exitCode = failure.exitCode;
  }
}

void main();
