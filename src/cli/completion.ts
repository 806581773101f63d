// `bucketrider completion`: what a shell needs to complete commands and flags, made from the tree of commands itself. One script for
// each shell, in its own language: each walks the words that lead on in the tree, then offers what may follow there. Names of
// topics, and values of flags, do not lead anywhere; where a flag wants the name of a file, files are offered.
import type { Command } from 'commander';
import { usageError } from './exit-codes.ts';

interface Flag {
  readonly long: string;
  readonly short: string | undefined;
  readonly takes: 'nothing' | 'a value' | 'a file';
  readonly description: string;
}

/** A command, and what may follow it. */
interface Place {
  /** Each way to it, by names and aliases: `topic create`, `topics create`; empty for the program. */
  readonly ways: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly Flag[];
}

const shells = ['bash', 'zsh', 'fish'] as const;

function placesOf(command: Command, ways: readonly string[] = ['']): Place[] {
  const help: Flag = { long: '--help', short: '-h', takes: 'nothing', description: 'show help' };
  const place: Place = {
    ways,
    commands:
      command.name() === 'completion'
        ? shells.map((name) => ({ name, description: `for ${name}` }))
        : command.commands.map((sub) => ({ name: sub.name(), description: sub.summary() || sub.description() })),
    flags: [...command.options.filter(({ hidden }) => !hidden).map(flagOf), help],
  };
  return [
    place,
    ...command.commands.flatMap((sub) =>
      placesOf(
        sub,
        ways.flatMap((way) => [sub.name(), ...sub.aliases()].map((name) => `${way} ${name}`.trim())),
      ),
    ),
  ];
}

function flagOf({ long, short, required, optional, flags, description }: Command['options'][number]): Flag {
  const takes = !required && !optional ? 'nothing' : /<(?:file|directory)>/.test(flags) ? 'a file' : 'a value';
  return { long: long ?? '', short, takes, description };
}

const bothOf = ({ long, short }: Flag): string[] => (short === undefined ? [long] : [long, short]);
const namesOf = (flags: readonly Flag[], takes: Flag['takes']): string[] => flags.filter((flag) => flag.takes === takes).flatMap(bothOf);
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
/** Fish takes a backslash for itself inside single quotes. */
const quotedForFish = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
const waysOn = (places: readonly Place[]): string[] => places.flatMap(({ ways }) => ways).filter((way) => way !== '');

/** The default of bash completes names of files: where a flag wants something, and where nothing of ours fits. */
const bash = (places: readonly Place[]): string => `_bucketrider() {
  local word place="" words="" wanting=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${place:+$place }$word" in ${waysOn(places).map(quoted).join('|')}) place="\${place:+$place }$word" ;; esac
  done
  case "$place" in
${places
  .map(({ ways, commands, flags }) => {
    const words = [...commands.map(({ name }) => name), ...flags.map(({ long }) => long)].join(' ');
    const wanting = [...namesOf(flags, 'a value'), ...namesOf(flags, 'a file')].join(' ');
    return `    ${ways.map(quoted).join('|')}) words='${words}' wanting=' ${wanting} ' ;;`;
  })
  .join('\n')}
  esac
  COMPREPLY=()
  case "$wanting" in *" \${COMP_WORDS[COMP_CWORD-1]} "*) return ;; esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _bucketrider bucketrider
`;

/** Sourced, or found in a folder of $fpath as _bucketrider: then it is itself the function that is called. */
const zsh = (places: readonly Place[]): string => `#compdef bucketrider
_bucketrider() {
  local word place=''
  local -a below flags wantsValue wantsFile
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in (${waysOn(places).map(quoted).join('|')}) place="\${place:+$place }$word" ;; esac
  done
  case "$place" in
${places
  .map(({ ways, commands, flags }) => {
    const item = (name: string, description: string): string => quoted(`${name}:${description}`);
    const below = commands.map(({ name, description }) => item(name, description)).join(' ');
    const all = flags.flatMap((flag) => bothOf(flag).map((name) => item(name, flag.description))).join(' ');
    const wants = `wantsValue=(${namesOf(flags, 'a value').join(' ')}) wantsFile=(${namesOf(flags, 'a file').join(' ')})`;
    return `    (${ways.map(quoted).join('|')}) below=(${below}) flags=(${all}) ${wants} ;;`;
  })
  .join('\n')}
  esac
  if (( \${wantsFile[(Ie)\${words[CURRENT-1]}]} )); then _files
  elif (( \${wantsValue[(Ie)\${words[CURRENT-1]}]} )); then _message 'a value'
  elif [[ "\${words[CURRENT]}" == -* ]]; then _describe -o flag flags
  elif (( $#below )); then _describe command below
  else _message 'names'
  fi
}
if [[ "\${funcstack[1]}" == _bucketrider ]]; then
  _bucketrider "$@"
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit -i }
  compdef _bucketrider bucketrider
fi
`;

const fish = (places: readonly Place[]): string => {
  const lines = places.flatMap(({ ways, commands, flags }) => {
    const start = `complete -c bucketrider -n ${quotedForFish(`__bucketrider_at ${ways.map((way) => `"${way}"`).join(' ')}`)}`;
    return [
      ...commands.map(({ name, description }) => `${start} -a ${name} -d ${quotedForFish(description)}`),
      ...flags.map((flag) => {
        const short = flag.short === undefined ? '' : ` -s ${flag.short.slice(1)}`;
        const wants = { nothing: '', 'a value': ' -x', 'a file': ' -r -F' }[flag.takes];
        return `${start} -l ${flag.long.slice(2)}${short}${wants} -d ${quotedForFish(flag.description)}`;
      }),
    ];
  });
  return `function __bucketrider_at
    set -l place ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$place $word")
        contains -- "$next" ${waysOn(places).map(quotedForFish).join(' ')}; and set place "$next"
    end
    contains -- "$place" $argv
end
complete -c bucketrider -e
complete -c bucketrider -f
${lines.join('\n')}
`;
};

const scripts: Readonly<Record<string, (places: readonly Place[]) => string>> = { bash, zsh, fish } satisfies Record<
  (typeof shells)[number],
  unknown
>;

/** @throws CommandError for a shell we have nothing for */
export function completionScript(shell: string, program: Command): string {
  const script = scripts[shell];
  if (script === undefined) throw usageError(`there is no completion for '${shell}'`, `there is one for ${shells.join(', ')}`);
  return script(placesOf(program));
}
