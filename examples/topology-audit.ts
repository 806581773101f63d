// An audit of topology and protocol: asks a broker which APIs it serves in which versions (ApiVersions), and how topics
// are laid out (DescribeTopicPartitions, page by page), and puts its finding into the topic like everybody else.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { apiVersionsV4, Connection, describeTopicPartitionsV0 } from '@platformatic/kafka';
import { isRecord } from './envelope.ts';
import { playAlone, type Example } from './example.ts';
import { Participant } from './participant.ts';

const TOPIC = 'test-topic';
const PARTITIONS_PER_PAGE = 2;
/** Without these no client gets far. */
const needed = ['Produce', 'Fetch', 'ListOffsets', 'Metadata', 'ApiVersions', 'CreateTopics', 'DescribeTopicPartitions'];
const expected: Readonly<Record<string, number>> = { 'multi-partition-topic': 3, 'test-topic': 1 };

interface Layout {
  readonly partition: number;
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export const topologyAudit: Example = async ({ brokers, log }) => {
  const audit = randomUUID();
  await using auditor = await Participant.join('topology-auditor', TOPIC, brokers);
  const [broker = ''] = brokers.split(',');
  const colon = broker.lastIndexOf(':');
  const connection = new Connection('topology-auditor');
  await connection.connect(broker.slice(0, colon), Number(broker.slice(colon + 1)));
  try {
    const { apiKeys } = await apiVersionsV4.api.async(connection, 'bucketrider-examples', '1.0.0');
    const versions = new Map(apiKeys.map(({ name, minVersion, maxVersion }) => [name, `${minVersion}-${maxVersion}`]));
    log(
      `topology-auditor: ${versions.size} APIs, among them ${needed.map((name) => `${name} ${versions.get(name) ?? 'missing'}`).join(', ')}`,
    );
    for (const name of needed) assert.ok(versions.has(name), `${name} is served`);

    const topics = await describe(connection, Object.keys(expected));
    for (const [name, partitions] of topics)
      log(`topology-auditor: ${name}: ${partitions.map(({ partition, leader }) => `${partition} led by ${leader}`).join(', ')}`);
    for (const [name, count] of Object.entries(expected)) {
      const partitions = topics.get(name) ?? [];
      assert.deepEqual(
        partitions.map(({ partition }) => partition),
        Array.from({ length: count }, (_, index) => index),
        `${name} has its partitions`,
      );
      for (const { leader, replicas, inSync } of partitions) {
        assert.ok(replicas.includes(leader), 'the leader is a replica');
        assert.deepEqual(inSync, replicas, 'all replicas are in sync');
      }
    }

    await auditor.send('TopologyAudited', audit, { apis: versions.size, topics: Object.fromEntries(topics) });
    for await (const { received } of auditor.deliveries()) {
      if (!received.ok || received.event.correlationId !== audit || !isRecord(received.event.payload)) continue;
      assert.equal(received.event.payload['apis'], versions.size);
      break;
    }
    return `${versions.size} APIs are served, ${topics.size} topics are laid out as they should be`;
  } finally {
    await connection.close();
  }
};

/** Every partition of the topics, however many pages that takes. */
async function describe(connection: Connection, names: readonly string[]): Promise<Map<string, Layout[]>> {
  const topics = new Map<string, Layout[]>();
  const asked = names.toSorted().map((name) => ({ name }));
  let cursor: { topicName: string; partitionIndex: number } | undefined;
  do {
    const page = await describeTopicPartitionsV0.api.async(connection, asked, PARTITIONS_PER_PAGE, cursor);
    for (const { name, partitions } of page.topics) {
      const layouts = topics.get(name ?? '') ?? [];
      for (const { partitionIndex, leaderId, replicaNodes, isrNodes } of partitions)
        layouts.push({ partition: partitionIndex, leader: leaderId, replicas: replicaNodes, inSync: isrNodes });
      topics.set(name ?? '', layouts);
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return topics;
}

if (import.meta.main) await playAlone(topologyAudit);
