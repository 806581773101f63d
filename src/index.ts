// The package as a program imports it: `import { startBroker } from 'bucketrider'`. Loads next to nothing until a broker
// is started, since every test file pays for the import; all it takes at once are the platform's timers and sockets,
// before a test runner, or what intercepts a network for tests, can put its own in their place.
import { makeRealClock } from './base/real/clock.ts';
import { makeRealNetwork } from './base/real/network.ts';
import type { Broker, BrokerOptions } from './embedded/api.ts';

export type * from './embedded/api.ts';
export * from './embedded/errors.ts';
export type { Bytes, Duration, KafkaConfig, KafkaTopicConfig } from './embedded/kafka-config.ts';

/**
 * Starts a broker in this process. Kafka clients connect to its `bootstrapServers`.
 *
 *     await using broker = await startBroker({ topics: { orders: 3 } });
 *
 * @throws BrokerStartError when it cannot start; nothing is left running then
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { startOnThisMachine } = await import('./embedded/start.ts');
  return startOnThisMachine(options, { makeClock: makeRealClock, makeNetwork: makeRealNetwork });
}
