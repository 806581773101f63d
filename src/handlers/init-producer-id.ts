// InitProducerId (API 22): an idempotent producer gets an id of its own, in its first epoch (KIP-98). Transactional
// ids need a coordinator, and this broker has none yet: they are refused, plainly.
import { check, KafkaError, NONE } from '../protocol/errors.ts';
import type { initProducerIdResponse, InitProducerIdRequest } from '../protocol/messages/init-producer-id.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type Answer = Encodable<typeof initProducerIdResponse>;

export async function handleInitProducerId(request: InitProducerIdRequest, context: RequestContext): Promise<Answer> {
  const { transactionalId, producerId, producerEpoch } = request;
  check((producerId === -1) === (producerEpoch === -1), 'INVALID_REQUEST', 'producer id and epoch go together');
  if (transactionalId !== null) {
    check(transactionalId !== '', 'INVALID_REQUEST', 'a transactional id is not empty');
    throw new KafkaError('UNSUPPORTED_VERSION', 'this broker has no transactions yet');
  }
  context.authorize('IDEMPOTENT_WRITE', 'CLUSTER', 'kafka-cluster');
  // What the producer had before does not matter without transactions: a new id begins in epoch 0 (TransactionCoordinator).
  return { throttleTimeMs: 0, errorCode: NONE, producerId: await context.broker.producerIds.next(), producerEpoch: 0 };
}

export const initProducerIdFailure = (errorCode: number): Answer => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 });
