// OffsetForLeaderEpoch (API 23): where the log ends for a reader that has followed it up to a leader epoch (KIP-320).
import { KafkaError, NONE, errorCodeOf } from '../protocol/errors.ts';
import type { offsetForLeaderEpochResponse, OffsetForLeaderEpochRequest } from '../protocol/messages/offset-for-leader-epoch.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type Answer = Encodable<typeof offsetForLeaderEpochResponse>;

const UNDEFINED = { leaderEpoch: -1, endOffset: -1 };

export function handleOffsetForLeaderEpoch(request: OffsetForLeaderEpochRequest, context: RequestContext): Answer {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
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
      }),
    })),
  };
}
