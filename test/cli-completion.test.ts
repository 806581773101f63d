// The completion of each shell, tried by that shell itself: what it offers for a line that somebody is typing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { buildCommandLine } from './cli.testing.ts';

const cli = await buildCommandLine('cli-completion');
const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];
const home = cli.folder();
const scriptOf = (shell: Shell): string => join(home, `bucketrider.${shell}`);

/** Why its tests cannot be run; false when they can. */
const missing = (shell: Shell): string | false =>
  spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0 ? false : `${shell} is not installed`;

function run(shell: Shell, words: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    ZDOTDIR: home,
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
    TERM: 'dumb',
    LC_ALL: 'C',
  };
  const { stdout, stderr, error } = spawnSync(shell, words, { encoding: 'utf8', cwd: home, env, timeout: 60_000 });
  assert.equal(error, undefined, stderr);
  return stdout;
}

/** Types the line into an interactive zsh on a terminal of its own, with a completion that says what it is given. */
function zshOffers(setUp: string, line: string): string {
  const driver = join(home, 'driver.zsh');
  writeFileSync(
    driver,
    [
      'zmodload zsh/zpty',
      'zpty shell zsh -f -i',
      'until_line() { local out; zpty -r shell out "*$1*"; print -r -- "$out"; }',
      'zpty -w shell "$1"',
      // Calls that fill arrays of the completion system offer nothing yet.
      `zpty -w shell 'compadd() { [[ " $*" == *" -"[OAD]" "* ]] && { builtin compadd "$@"; return }; local -a found; builtin compadd -A found "$@"; print -rl -- "" "offer:"\${^found}; builtin compadd "$@" }'`,
      `zpty -w shell 'show() { zle complete-word; print -r -- ""; print -r -- "the end of"" it" }; zle -N show; bindkey "^T" show; print -r -- "I am ""ready"'`,
      'until_line "I am ready" >/dev/null',
      `zpty -n -w shell "$2"$'\\C-t'`,
      'until_line "the end of it"',
      'zpty -d shell',
    ].join('\n'),
  );
  return [...run('zsh', ['-f', driver, setUp, line]).matchAll(/^offer:(.*?)\r*$/gm)].map(([, offer]) => offer).join('\n');
}

const offers: Record<Shell, (line: string) => string> = {
  // What bash does with a line before it calls the function: words by spaces, of which the last is being typed.
  bash: (line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    const call = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; $f; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run('bash', ['--norc', '-c', `source ${scriptOf('bash')}; f=$(complete -p bucketrider | sed 's/.*-F //; s/ .*//'); ${call}`]);
  },
  zsh: (line) => zshOffers(`source ${scriptOf('zsh')}`, line),
  fish: (line) => run('fish', ['--no-config', '-c', `source ${scriptOf('fish')}; complete -C '${line}'`]).replaceAll(/\t.*/g, ''),
};

const sorted = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();

suite('completion', () => {
  before(async () => {
    for (const shell of shells) {
      const { code, stdout, stderr } = await cli.run(['completion', shell]);
      assert.equal(code, 0, stderr);
      writeFileSync(scriptOf(shell), stdout);
    }
    writeFileSync(join(home, 'client.properties'), '');
  });

  for (const shell of shells) {
    test(`${shell} completes commands and flags, and is not misled by names and values`, { skip: missing(shell) }, () => {
      const offered = (line: string): string[] => sorted(offers[shell](`bucketrider ${line}`));
      assert.deepEqual(offered('pro'), ['produce']);
      const commands = offered('').filter((word) => !word.startsWith('-'));
      assert.deepEqual(commands, ['cluster', 'completion', 'consume', 'group', 'produce', 'start', 'tail', 'topic', 'version']);
      assert.deepEqual(offered('topic cr'), ['create']);
      assert.deepEqual(offered('topics cr'), ['create'], 'an alias leads there too');
      assert.deepEqual(offered('group delete'), ['delete', 'delete-offsets']);
      assert.deepEqual(offered('groups reset --ex'), ['--execute']);
      assert.deepEqual(offered('consume --gro'), ['--group', '--group-protocol']);
      assert.deepEqual(offered('topic create --part'), ['--partitions']);
      assert.deepEqual(offered('topic create orders -p 3 --conf'), ['--config']);
      assert.deepEqual(offered('produce topic --tomb'), ['--tombstone'], 'a topic may be called like a command');
      assert.ok(!offered('produce topic ').includes('create'));
      assert.deepEqual(offered('topic create -p '), [], 'a value is wanted');
      assert.deepEqual(
        offered('completion ').filter((word) => !word.startsWith('-')),
        ['bash', 'fish', 'zsh'],
      );
    });
  }

  test('zsh and fish offer files where a flag wants one', { skip: missing('zsh') || missing('fish') }, () => {
    for (const shell of ['zsh', 'fish'] as const)
      assert.deepEqual(sorted(offers[shell]('bucketrider topic list --command-config client')), ['client.properties'], shell);
  });

  test('zsh finds it in a folder of $fpath too', { skip: missing('zsh') }, () => {
    const folder = join(home, 'functions');
    mkdirSync(folder);
    copyFileSync(scriptOf('zsh'), join(folder, '_bucketrider'));
    const setUp = `fpath=(${folder} $fpath); autoload -Uz compinit; compinit -i`;
    for (let time = 0; time < 2; time += 1) assert.deepEqual(sorted(zshOffers(setUp, 'bucketrider topic de')), ['delete', 'describe']);
  });

  test('a shell without a completion is a usage error that names those there are', async () => {
    const { code, stdout, stderr } = await cli.run(['completion', 'tcsh']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /bash, zsh, fish/);
  });
});
