// `bucketrider consume -g GROUP`: reads as a member of a group, among others that may come and go. What has been written to
// standard output is committed; whatever ends it, it commits and leaves.
import { ClassicMembership } from '../client/classic-membership.ts';
import { ConsumerMembership } from '../client/consumer-membership.ts';
import { GroupConsumer } from '../client/group-consumer.ts';
import type { Isolation } from '../client/list-offsets.ts';
import { makeCompute } from '../base/real/compute.ts';
import { KafkaError } from '../protocol/errors.ts';
import { parseDuration } from './client-flags.ts';
import type { RecordWriter } from './consume.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import { written } from './output.ts';
import { missingTopic } from './record-reader.ts';
import type { Session } from './with-cluster.ts';

export interface GroupFlags {
  readonly group?: string;
  readonly groupProtocol?: string;
  readonly instance?: string;
  readonly sessionTimeout?: string;
  readonly commitInterval?: string;
}

export interface GroupReading {
  readonly begin: 'earliest' | 'latest';
  readonly stopAtEnd: boolean;
  /** How many records at most. */
  readonly most: number;
  readonly isolation: Isolation;
  readonly writer: RecordWriter;
}

export interface GroupPlan {
  readonly groupId: string;
  readonly protocol: 'classic' | 'consumer';
  readonly instanceId: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly commitIntervalMs: number;
}

/** Kafka's defaults. */
const SESSION_TIMEOUT = '45s';
const COMMIT_INTERVAL = '5s';
const REBALANCE_TIMEOUT_MS = 60_000;

/** @throws CommandError */
export function readGroupFlags(groupId: string, flags: GroupFlags): GroupPlan {
  if (groupId === '') throw usageError('-g takes the name of a group, and it is empty');
  const { groupProtocol = 'classic', instance, sessionTimeout = SESSION_TIMEOUT, commitInterval = COMMIT_INTERVAL } = flags;
  if (groupProtocol !== 'classic' && groupProtocol !== 'consumer')
    throw usageError(`--group-protocol takes classic or consumer, not '${groupProtocol}'`);
  return {
    groupId,
    protocol: groupProtocol,
    instanceId: instance,
    sessionTimeoutMs: parseDuration('--session-timeout', sessionTimeout),
    commitIntervalMs: parseDuration('--commit-interval', commitInterval),
  };
}

export async function consumeInGroup(plan: GroupPlan, topics: readonly string[], reading: GroupReading, session: Session): Promise<number> {
  const { cluster, interrupted } = session;
  const { refusals } = await cluster.metadata([...new Set(topics)]);
  for (const [name, error] of refusals) throw missingTopic(name, error);
  const consumer = makeConsumer(plan, topics, reading, session);
  const stop = (): void => consumer.stop();
  interrupted.addEventListener('abort', stop);
  if (interrupted.aborted) stop();
  let left = reading.most;
  try {
    if (left > 0)
      for await (const { topic, partition, timestampType, records } of consumer.records()) {
        const taken = records.slice(0, left);
        left -= taken.length;
        reading.writer.write(taken.map((record) => ({ topic, partition, timestampType, record })));
        await written(interrupted);
        if (left === 0) {
          consumer.processed({ topic, partition }, (taken.at(-1)?.offset ?? 0) + 1);
          break;
        }
      }
  } catch (thrown) {
    throw thrown instanceof KafkaError ? groupFailure(plan, thrown) : thrown;
  } finally {
    interrupted.removeEventListener('abort', stop);
    reading.writer.end();
    await consumer.close();
  }
  return exitCodes.ok;
}

function makeConsumer(plan: GroupPlan, topics: readonly string[], { begin, stopAtEnd, isolation }: GroupReading, session: Session) {
  const { cluster, say } = session;
  const { groupId, instanceId, sessionTimeoutMs, commitIntervalMs } = plan;
  const options = {
    cluster,
    groupId,
    topics: [...new Set(topics)],
    ...(instanceId !== undefined && { instanceId }),
    sessionTimeoutMs,
    rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
    heartbeatIntervalMs: Math.min(3000, Math.floor(sessionTimeoutMs / 3)),
  };
  return new GroupConsumer({
    cluster,
    groupId,
    compute: makeCompute(),
    membership: plan.protocol === 'consumer' ? new ConsumerMembership(options) : new ClassicMembership(options),
    isolation,
    begin,
    stopAtEnd,
    commitIntervalMs,
    onShare: (partitions) => {
      if (process.stderr.isTTY) say(shareText(groupId, partitions));
    },
    onLost: () => say(`bucketrider: group ${groupId} went on without this member; some of what it read may be read again by another`),
    onJump: ({ topic, partition, from, to }) =>
      say(`bucketrider: offset ${from} of ${topic}/${partition} is not there any more; reading goes on at ${to}`),
  });
}

const shareText = (groupId: string, partitions: readonly { topic: string; partition: number }[]): string =>
  partitions.length === 0
    ? `group ${groupId} has no partition for this member at the moment`
    : `group ${groupId} gives this member ${partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')}`;

/** What a person can do about it. */
function groupFailure({ groupId, protocol }: GroupPlan, error: KafkaError): Error {
  const fixes: Partial<Record<string, [message: string, fix: string]>> = {
    INCONSISTENT_GROUP_PROTOCOL: [
      `the members of group ${groupId} share out partitions in a way that this one does not know`,
      `it knows range, roundrobin and cooperative-sticky; bucketrider group describe ${groupId} shows the members`,
    ],
    GROUP_ID_NOT_FOUND: [
      `${groupId} is no group that this protocol can join: ${error.message}`,
      'choose another name, or another --group-protocol',
    ],
    FENCED_INSTANCE_ID: [
      `another member has taken the place of this one in group ${groupId}`,
      'each running member needs an --instance of its own',
    ],
    UNRELEASED_INSTANCE_ID: [`another member of group ${groupId} still holds this --instance`, 'stop it first, or choose another name'],
    INVALID_SESSION_TIMEOUT: [
      `the broker does not take this --session-timeout`,
      'group.min.session.timeout.ms and group.max.session.timeout.ms of the broker say which it takes',
    ],
    GROUP_MAX_SIZE_REACHED: [`group ${groupId} is full`, 'group.max.size of the broker says how many members it takes'],
    UNSUPPORTED_VERSION: [
      `the broker does not know this protocol of groups: ${error.message}`,
      `--group-protocol ${protocol === 'consumer' ? 'classic' : 'consumer'}`,
    ],
  };
  const [message, fix] = fixes[error.errorName] ?? [];
  return message === undefined
    ? error
    : new CommandError(exitCodes.failure, error.errorName, message, { fix: fix === undefined ? [] : [fix], cause: error });
}
