// `bucketrider completion`: what a shell needs to complete commands and flags, made from the tree of commands itself.
import type { Command } from 'commander';
import { usageError } from './exit-codes.ts';

interface Words {
  /** The commands that lead here: '' for the program, 'topic create' for one below another. */
  readonly path: string;
  readonly words: readonly string[];
}

/** For every place in the tree, the commands and long flags that may follow. */
export function completionWords(program: Command): Words[] {
  const found: Words[] = [];
  const visit = (command: Command, path: readonly string[]): void => {
    const flags = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
    found.push({ path: path.join(' '), words: [...command.commands.map((sub) => sub.name()), ...flags, '--help'] });
    for (const sub of command.commands) for (const name of [sub.name(), ...sub.aliases()]) visit(sub, [...path, name]);
  };
  visit(program, []);
  return found;
}

const scripts: Readonly<Record<string, (places: readonly Words[]) => string>> = {
  bash: (places) =>
    [
      '_bucketrider() {',
      '  local word path=""',
      // Only words that lead on in the tree are the way; names of topics and values of flags are not.
      '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
      `    case "\${path:+$path }$word" in ${patternOf(places)}) path="\${path:+$path }$word" ;; esac`,
      '  done',
      '  case "$path" in',
      ...places.map(
        ({ path, words }) => `    '${path}') COMPREPLY=($(compgen -W '${words.join(' ')}' -- "\${COMP_WORDS[COMP_CWORD]}")) ;;`,
      ),
      '    *) COMPREPLY=() ;;',
      '  esac',
      '}',
      'complete -o default -F _bucketrider bucketrider',
      '',
    ].join('\n'),
  zsh: (places) => `autoload -U +X bashcompinit && bashcompinit\n${bashOf(places)}`,
  fish: (places) =>
    `${places
      .flatMap(({ path, words }) =>
        words.map((word) => {
          const seen = path.split(' ').map((name) => `__fish_seen_subcommand_from ${name}`);
          const place = path === '' ? '__fish_use_subcommand' : seen.join('; and ');
          return `complete -c bucketrider -f -n '${place}' ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`}`;
        }),
      )
      .join('\n')}\n`,
};

const patternOf = (places: readonly Words[]): string =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => `'${path}'`)
    .join('|');

const bashOf = (places: readonly Words[]): string => scripts['bash']?.(places) ?? '';

/** @throws CommandError for a shell we have nothing for */
export function completionScript(shell: string, program: Command): string {
  const script = scripts[shell];
  if (script === undefined)
    throw usageError(`there is no completion for '${shell}'`, `there is one for ${Object.keys(scripts).join(', ')}`);
  return script(completionWords(program));
}
