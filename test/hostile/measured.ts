// Starts a broker in a process of its own and talks to it over real sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import { Attacker } from './attacker.ts';
import type { Figures, FromBroker, ToBroker } from './broker-process.ts';

export interface MeasuredBroker extends AsyncDisposable {
  readonly port: number;
  readonly client: Connection;
  readonly ended: boolean;
  enemy(): Promise<Attacker>;
  connect(): Promise<Connection>;
  /** Since the last call. With `collect`, after a garbage collection. */
  figures(collect?: 'collect'): Promise<Figures>;
  /** What lies beside the data dir, which should be nothing. */
  strangers(): string[];
}

export async function startMeasured(
  options: { settings?: readonly string[]; node?: readonly string[]; shell?: string } = {},
): Promise<MeasuredBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'bucketrider-hostile-'));
  const file = join(import.meta.dirname, 'broker-process.ts');
  const args = ['--expose-gc', ...(options.node ?? []), file, join(folder, 'data'), ...(options.settings ?? [])];
  const child =
    options.shell === undefined
      ? spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      : spawn('sh', ['-c', `${options.shell}; exec "$0" "$@"`, process.execPath, ...args], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let over = false;
  void ended.then(() => (over = true));
  const heard = (): Promise<FromBroker> =>
    new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as FromBroker));
      void ended.then(() => reject(new Error(`the broker has ended with ${child.exitCode ?? child.signalCode}`)));
    });
  const first = await heard();
  assert.ok('port' in first);
  const { port } = first;
  const network = makeRealNetwork();
  const clients: { close(): void }[] = [];
  const connect = async (): Promise<Connection> => {
    const connection = await Connection.connect({ network, host: '127.0.0.1', port, clientId: 'honest' });
    clients.push(connection);
    return connection;
  };
  const ask = (message: ToBroker): Promise<FromBroker> => {
    const answer = heard();
    child.send(message);
    return answer;
  };
  return {
    port,
    client: await connect(),
    get ended() {
      return over;
    },
    enemy: async () => {
      const attacker = await Attacker.connect(network, port);
      clients.push({ close: () => attacker.leave() });
      return attacker;
    },
    connect,
    figures: async (collect) => {
      const figures = await ask(collect ?? 'figures');
      assert.ok('rssBytes' in figures);
      return figures;
    },
    strangers: () => readdirSync(folder).filter((name) => name !== 'data'),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      if (!over) child.send('stop' satisfies ToBroker);
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
