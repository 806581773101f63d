// A whole broker for tests: assembled as the program assembles it, over a clock that stands still, a disk and a network
// in memory, with a client connected. One call starts it; the same disk can be started again, after a clean stop or a kill.
import { CollectingLogger } from '../base/log.ts';
import type { FakeClock } from '../base/memory/clock.ts';
import type { MemoryDisk } from '../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../base/memory/env.ts';
import type { MemoryNetwork } from '../base/memory/network.ts';
import type { Survival } from '../base/memory/power-loss.ts';
import { makeCompute } from '../base/real/compute.ts';
import type { Broker } from '../broker/broker.ts';
import { Connection } from '../client/connection.ts';
import type { Server } from '../server/server.ts';
import { assembleBroker } from './start-broker.ts';

export interface TestBrokerOptions {
  /** Kafka's names and texts, as in a file. `log.dirs` is /data, a free port is taken, and no reserve is kept where nothing is said. */
  readonly settings?: Readonly<Record<string, string>>;
  /** 1 when left out. */
  readonly seed?: number;
  /** Of an earlier broker, to start on what it left behind. */
  readonly disk?: MemoryDisk;
  readonly clock?: FakeClock;
  readonly wire?: MemoryNetwork;
}

export interface TestBroker extends AsyncDisposable {
  /** `env.clock` moves time, `env.disk` breaks and loses, `env.wire` cuts and delays. */
  readonly env: MemoryEnv;
  readonly broker: Broker;
  readonly server: Server;
  readonly port: number;
  readonly log: CollectingLogger;
  /** What the broker failed of; empty as long as it keeps its promises. */
  readonly failures: readonly unknown[];
  readonly client: Connection;
  /** Another connection, to localhost where no host is named; closed with the broker. */
  connect(options?: { host?: string; port?: number; clientId?: string | null }): Promise<Connection>;
  /** Idempotent. */
  stop(options?: { graceMs?: number }): Promise<void>;
  /** Stops in order, and starts again on the same disk, clock and wire; other settings may be given. */
  restart(settings?: Readonly<Record<string, string>>): Promise<TestBroker>;
  /**
   * kill -9, and start again on what the disk has. With `survives` the power fails too, and of what was not synced that is
   * left which it lets survive (the disk must be made with `modelsPowerLoss`). Clients see a reset.
   */
  crash(options?: { survives?: Survival; settings?: Readonly<Record<string, string>> }): Promise<TestBroker>;
}

const compute = makeCompute();

export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { settings = {}, seed, disk, clock, wire } = options;
  const env = makeMemoryEnv({
    compute,
    ...(seed !== undefined && { seed }),
    ...(disk && { disk }),
    ...(clock && { clock }),
    ...(wire && { wire }),
  });
  const log = new CollectingLogger();
  const failures: unknown[] = [];
  const levels = {
    static: new Map(
      Object.entries({ 'log.dirs': '/data', listeners: 'PLAINTEXT://localhost:0', 'storage.reserve.bytes': '0', ...settings }),
    ),
  };
  const running = await env.clock.until(assembleBroker({ env, levels, log, onFailed: (error) => void failures.push(error) }));
  const { broker, server } = running;
  const port = server.listeners[0]?.port ?? 0;
  /** The clients are another program: they live on when the broker is killed. */
  const clients = env.wire.join();
  const connections: Connection[] = [];
  let over = false;

  const connect: TestBroker['connect'] = async (how = {}) => {
    const connection = await Connection.connect({
      network: clients,
      host: how.host ?? 'localhost',
      port: how.port ?? port,
      clientId: how.clientId === undefined ? 'test' : how.clientId,
    });
    connections.push(connection);
    return connection;
  };
  const stop: TestBroker['stop'] = async (how) => {
    if (over) return;
    over = true;
    for (const connection of connections) connection.close();
    await env.clock.until(running.stop(how));
  };
  const again = (others: Readonly<Record<string, string>> | undefined): Promise<TestBroker> =>
    startTestBroker({
      settings: { ...settings, ...others },
      seed: (seed ?? 1) + 1, // another incarnation draws other ids
      disk: env.disk,
      clock: env.clock,
      wire: env.wire,
    });

  return {
    env,
    broker,
    server,
    port,
    log,
    failures,
    client: await connect(),
    connect,
    stop,
    restart: async (others) => {
      await stop();
      return again(others);
    },
    crash: async ({ survives, settings: others } = {}) => {
      over = true;
      env.kill();
      if (survives !== undefined) env.disk.losePower(survives);
      return again(others);
    },
    [Symbol.asyncDispose]: () => stop(),
  };
}
