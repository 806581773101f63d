// OffsetForLeaderEpoch (API 23): where the log ends for a reader that has followed it up to a leader epoch (KIP-320).
import { KafkaError, NONE, errorCodeOf } from '../protocol/errors.ts';
import type { offsetForLeaderEpochResponse, OffsetForLeaderEpochRequest } from '../protocol/messages/offset-for-leader-epoch.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { Turns } from './turns.ts';

type Answer = Encodable<typeof offsetForLeaderEpochResponse>;
type PartitionAnswer = Answer['topics'][number]['partitions'][number];

const UNDEFINED = { leaderEpoch: -1, endOffset: -1 };

export async function handleOffsetForLeaderEpoch(request: OffsetForLeaderEpochRequest, context: RequestContext): Promise<Answer> {
  const turns = new Turns(context.broker.env);
  const topics: Answer['topics'][number][] = [];
  for (const { topic, partitions } of request.topics) {
    const answers: PartitionAnswer[] = [];
    for (const asked of partitions) {
      if (turns.isOver()) await turns.next();
      answers.push(answerPartition(topic, asked, context));
    }
    topics.push({ topic, partitions: answers });
  }
  await turns.last();
  return { throttleTimeMs: 0, topics };
}

function answerPartition(
  topic: string,
  asked: OffsetForLeaderEpochRequest['topics'][number]['partitions'][number],
  context: RequestContext,
): PartitionAnswer {
  const { partition, currentLeaderEpoch, leaderEpoch } = asked;
  try {
    context.authorize('DESCRIBE', 'TOPIC', topic);
    const image = context.broker.image.findTopic(topic);
    if (image === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    const log = context.broker.partitions.ledHere(image, partition);
    log.checkLeaderEpoch(currentLeaderEpoch);
    const end = log.endOfLeaderEpoch(leaderEpoch);
    return { partition, errorCode: NONE, leaderEpoch: end.epoch, endOffset: end.endOffset };
  } catch (thrown) {
    return { partition, errorCode: errorCodeOf(thrown, context.log), ...UNDEFINED };
  }
}
