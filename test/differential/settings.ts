// Settings and the cluster: DescribeConfigs, DescribeCluster.
import { key, versionsOf } from './asking.ts';
import type { Duel } from './duel.ts';

export async function settings(duel: Duel): Promise<void> {
  for (const version of versionsOf(key.describeConfigs)) {
    const ask = (
      what: string,
      resources: readonly (readonly [type: number, name: string, keys: readonly string[] | null])[],
      ignore: string[] = [],
    ): Promise<unknown> =>
      duel.ask(
        key.describeConfigs,
        version,
        what,
        {
          resources: resources.map(([resourceType, resourceName, configurationKeys]) => ({
            resourceType,
            resourceName,
            configurationKeys,
          })),
          includeSynonyms: true,
          includeDocumentation: false,
        },
        { ignore },
      );
    // flush.messages is ours on purpose, and so are the texts of the documentation.
    const names = [
      'cleanup.policy',
      'retention.ms',
      'segment.bytes',
      'max.message.bytes',
      'compression.type',
      'message.timestamp.type',
      'min.insync.replicas',
      'delete.retention.ms',
    ];
    await ask('a topic', [[2, 'alpha', names]]);
    await ask('a topic with a setting', [[2, 'beta.x', names]]);
    await ask('a topic that is not there', [[2, 'nowhere', null]]);
    await ask('a name that none can have', [
      [2, 'a b', null],
      [2, '', null],
    ]);
    await ask('names that are none', [[2, 'alpha', ['nonsense', 'retention.ms']]]);
    await ask('no names', [[2, 'alpha', []]], ['configs']);
    await ask('this broker', [[4, '1', ['log.retention.ms', 'num.partitions', 'message.max.bytes', 'log.cleanup.policy']]]);
    await ask('another broker', [
      [4, '9', null],
      [4, 'x', null],
    ]);
    await ask('all brokers', [[4, '', null]]);
    await ask('groups', [
      [32, 'g', ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms']],
      [32, '', null],
    ]);
    await ask('client metrics', [
      [16, 'm', null],
      [16, '', null],
    ]);
    await ask('twice', [
      [2, 'alpha', ['retention.ms']],
      [2, 'alpha', ['cleanup.policy']],
    ]);
    await ask('a type that is none', [[99, 'x', null]]);
    await ask('nothing', []);
  }
  for (const version of versionsOf(key.describeCluster))
    for (const endpointType of version === 0 ? [1] : [0, 1, 2, 3])
      for (const includeClusterAuthorizedOperations of [false, true])
        await duel.ask(key.describeCluster, version, `type ${endpointType}`, {
          includeClusterAuthorizedOperations,
          endpointType,
          includeFencedBrokers: version >= 2,
        });
}
