// An embedded broker for tests: started by the same code, in an environment whose clock stands still and whose disk can fail.
import { MemoryDisk } from '../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv, type MemoryEnvOptions } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { Connection } from '../client/connection.ts';
import type { BrokerOptions } from './api.ts';
import type { EmbeddedBroker } from './embedded-broker.ts';
import { startEmbedded } from './start.ts';

const compute = makeCompute();

export interface TestEmbedded extends AsyncDisposable {
  readonly broker: EmbeddedBroker;
  /** `env.clock` moves time, `env.disk` fails. */
  readonly env: MemoryEnv;
  /** The result of work, with the clock moved as far as it takes. */
  until<Result>(work: Promise<Result>): Promise<Result>;
  /** A client's connection to it. */
  connect(): Promise<Connection>;
}

export async function startTestEmbedded(
  options: BrokerOptions = {},
  around: Pick<MemoryEnvOptions, 'disk' | 'memoryLimitBytes'> = {},
): Promise<TestEmbedded> {
  const held = { onThrown: (_thrown: unknown): void => undefined };
  const env = makeMemoryEnv({ compute, disk: new MemoryDisk(), ...around, onThrown: (thrown) => held.onThrown(thrown) });
  const broker = await env.clock.until(
    startEmbedded({ logger: false, ...options }, ({ onThrown }) => {
      held.onThrown = onThrown;
      return Promise.resolve(env);
    }),
  );
  return {
    broker,
    env,
    until: (work) => env.clock.until(work),
    connect: () => Connection.connect({ network: env.wire.join(), host: 'localhost', port: broker.port, clientId: 'test' }),
    [Symbol.asyncDispose]: () => env.clock.until(broker.stop()),
  };
}
