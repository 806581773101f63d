// The package as a program imports it: `import { startBroker } from 'bucketrider'`. Takes what a broker needs from the
// platform; everything else, the broker itself, is loaded with the first start.
import { makeEmbeddedEnv } from './embedded/environment.ts';
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
  const { startEmbedded } = await import('./embedded/start.ts');
  return startEmbedded(options, makeEmbeddedEnv);
}
