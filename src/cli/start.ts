// `bucketrider start`: runs a broker until it is told to stop. Standard output carries what scripts and people wait
// for, standard error the broker's log.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { assembleBroker, type RunningBroker } from '../assemble/start-broker.ts';
import { makeCompute } from '../base/real/compute.ts';
import { makeRealEnv } from '../base/real/env.ts';
import { makeLogger } from './logger.ts';
import { version } from './version.ts';

export interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly config?: string;
  readonly set: readonly string[];
}

export async function start(flags: StartFlags): Promise<number> {
  const settings = new Map<string, string>();
  const dataDirectory = resolve(flags.data ?? defaultDataDirectory());
  mkdirSync(dataDirectory, { recursive: true });
  settings.set('log.dirs', dataDirectory);
  const host = flags.host ?? 'localhost';
  settings.set('listeners', `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${flags.port ?? '9092'}`);
  for (const assignment of flags.set) {
    const at = assignment.indexOf('=');
    if (at < 1) {
      process.stderr.write(`bucketrider: --set takes key=value, not '${assignment}'\n`);
      return 2;
    }
    settings.set(assignment.slice(0, at), assignment.slice(at + 1));
  }

  const log = makeLogger({ level: settings.get('log.level') ?? 'info', pretty: process.stderr.isTTY });
  let exit: (code: number) => void = () => undefined;
  const exited = new Promise<number>((resolveExit) => (exit = resolveExit));
  const fail = (error: unknown): void => {
    log.error('the broker failed and stops now; nothing it acknowledged is lost', error);
    // A broken promise: no orderly end can be trusted to keep the others.
    process.exit(1);
  };
  const env = makeRealEnv({ compute: makeCompute(), onThrown: fail });
  let running: RunningBroker;
  try {
    running = await assembleBroker({ env, levels: { static: settings }, log, onFailed: fail });
  } catch (thrown) {
    process.stderr.write(`bucketrider: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return 1;
  }
  const [listener] = running.server.listeners;
  const bootstrap = `${host}:${listener?.port ?? 0}`;
  process.stdout.write(
    [
      `bucketrider ${version}`,
      `  Kafka       ${bootstrap}`,
      `  data        ${dataDirectory}`,
      '  durability  an acknowledged record is on the disk (fsync before ack)',
      `  ready in    ${Math.round(performance.now())} ms`,
      `ready ${bootstrap}`,
      '',
    ].join('\n'),
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    running.stop().then(
      () => exit(0),
      (error: unknown) => {
        log.error('the broker did not stop cleanly', error);
        exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const code = await exited;
  process.off('SIGTERM', stop);
  process.off('SIGINT', stop);
  return code;
}

/** Below the user's own data, as the platform has it. */
function defaultDataDirectory(): string {
  const base =
    process.env['XDG_DATA_HOME'] ??
    (process.platform === 'darwin' ? join(homedir(), 'Library', 'Application Support') : join(homedir(), '.local', 'share'));
  return join(base, 'bucketrider');
}
