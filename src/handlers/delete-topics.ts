// DeleteTopics (API 20): topics go, by name or, from version 6 on, by id; each asked for once and with its own outcome.
// Finds out which topics are meant and whether they may go; broker/topics removes them.
import { checkChangesSize } from '../broker/topic-plans.ts';
import type { Refusal } from '../broker/topics.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { deleteTopicsResponse, DeleteTopicsRequest } from '../protocol/messages/delete-topics.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { allows, CLUSTER_NAME } from './permission.ts';

type DeleteTopicsResponseData = Encodable<typeof deleteTopicsResponse>;
type TopicAnswer = DeleteTopicsResponseData['responses'][number];

/** A topic as the client named it: one of the two, or neither, or both. */
interface Asked {
  readonly name: string | null;
  readonly topicId: string;
}

const FIRST_VERSION_WITH_DELETION_DISABLED = 3; // before it there was no code of its own for that

export async function handleDeleteTopics(request: DeleteTopicsRequest, context: RequestContext): Promise<DeleteTopicsResponseData> {
  checkDeletionEnabled(context);
  const topics = askedTopics(request);
  checkChangesSize(topics.length);
  const deletion = new Deletion(context);
  for (const asked of topics) deletion.ask(asked);
  return { throttleTimeMs: 0, responses: await deletion.carryOut() };
}

/** @throws KafkaError for the request as a whole */
function checkDeletionEnabled({ broker, apiVersion }: RequestContext): void {
  if (broker.config['delete.topic.enable']) return;
  if (apiVersion >= FIRST_VERSION_WITH_DELETION_DISABLED)
    throw new KafkaError('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled (delete.topic.enable=false).');
  throw new KafkaError('INVALID_REQUEST', 'This version does not support topic deletion.');
}

/** Up to version 5 there is a plain list of names, then a list of topics. */
const askedTopics = ({ topics, topicNames }: DeleteTopicsRequest): Asked[] => [
  ...topicNames.map((name) => ({ name, topicId: ZERO_UUID })),
  ...topics,
];

/** What one request asks to go, put together until every topic is known once (ControllerApis.deleteTopics of Kafka). */
class Deletion {
  readonly #context: RequestContext;
  readonly #answers: TopicAnswer[] = [];
  readonly #names = new Map<string, number>();
  readonly #ids = new Map<string, number>();

  constructor(context: RequestContext) {
    this.#context = context;
  }

  ask({ name, topicId }: Asked): void {
    if (name === null && topicId === ZERO_UUID) this.#refuse(null, ZERO_UUID, 'Neither topic name nor id were specified.');
    else if (name === null) this.#ids.set(topicId, (this.#ids.get(topicId) ?? 0) + 1);
    else if (topicId === ZERO_UUID) this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    else this.#refuse(name, topicId, 'You may not specify both topic name and topic id.');
  }

  async carryOut(): Promise<TopicAnswer[]> {
    for (const [name, times] of this.#names) if (times > 1) this.#refuse(name, ZERO_UUID, 'Duplicate topic name.');
    for (const [topicId, times] of this.#ids) if (times > 1) this.#refuse(null, topicId, 'Duplicate topic id.');
    const doomed = this.#resolve();
    const outcomes = await this.#context.broker.topics.delete([...doomed.keys()]);
    for (const [at, [topicId, name]] of [...doomed].entries()) this.#answer(name, topicId, outcomes[at]);
    return this.#answers;
  }

  /** The topics that are there and may go, names by ids; what else was asked for is answered. */
  #resolve(): Map<string, string> {
    const { image } = this.#context.broker;
    const doomed = new Map<string, string>();
    for (const [topicId, times] of this.#ids) {
      if (times > 1) continue;
      const name = image.findTopicById(topicId)?.name;
      if (name === undefined) this.#answer(null, topicId, new KafkaError('UNKNOWN_TOPIC_ID'));
      else if (this.#may('DELETE', name)) doomed.set(topicId, name);
      else this.#answer(this.#may('DESCRIBE', name) ? name : null, topicId, new KafkaError('TOPIC_AUTHORIZATION_FAILED'));
    }
    for (const [name, times] of this.#names) {
      if (times > 1) continue;
      const topicId = image.findTopic(name)?.id;
      // Whether the topic exists is not told to those who may not know it.
      if (!this.#may('DESCRIBE', name)) this.#answer(name, ZERO_UUID, new KafkaError('TOPIC_AUTHORIZATION_FAILED'));
      else if (topicId === undefined) this.#answer(name, ZERO_UUID, new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'));
      else if (!this.#may('DELETE', name)) this.#answer(name, ZERO_UUID, new KafkaError('TOPIC_AUTHORIZATION_FAILED'));
      else if (this.#ids.has(topicId)) {
        doomed.delete(topicId);
        this.#refuse(name, topicId, 'The provided topic name maps to an ID that was already supplied.');
      } else doomed.set(topicId, name);
    }
    return doomed;
  }

  #may(operation: 'DELETE' | 'DESCRIBE', name: string): boolean {
    return allows(this.#context, 'DELETE', 'CLUSTER', CLUSTER_NAME) || allows(this.#context, operation, 'TOPIC', name);
  }

  #refuse(name: string | null, topicId: string, message: string): void {
    this.#answer(name, topicId, new KafkaError('INVALID_REQUEST', message));
  }

  #answer(name: string | null, topicId: string, refusal: Refusal): void {
    this.#answers.push({
      name,
      topicId,
      errorCode: refusal === undefined ? NONE : errorCodeOf(refusal, this.#context.log),
      errorMessage: refusal?.message ?? null,
    });
  }
}

export const deleteTopicsFailure = (
  errorCode: number,
  request: DeleteTopicsRequest,
  errorMessage: string | null,
): DeleteTopicsResponseData => ({
  throttleTimeMs: 0,
  responses: askedTopics(request).map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })),
});
