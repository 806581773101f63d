// Before something is destroyed: a person is asked, a script has to have said --yes.
import { createInterface } from 'node:readline/promises';
import { usageError } from './exit-codes.ts';

/** True when it may be done. @throws CommandError where nobody can be asked */
export async function confirm(question: string, { yes }: { readonly yes?: boolean }): Promise<boolean> {
  if (yes === true) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw usageError(`${question} Nobody can be asked here`, 'say --yes, or --dry-run to see what would be done');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
