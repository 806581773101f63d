// What the broker refuses, as the program that holds it is told: Kafka's name for the error as `code`, and what to do.
import type { MetadataImage, TopicImage } from '../broker/image/metadata-image.ts';
import { suggest } from '../config/suggest.ts';
import { KafkaError, kafkaErrors, type ErrorName } from '../protocol/errors.ts';
import { RequestRefusedError } from './errors.ts';

type Topics = Pick<MetadataImage, 'topics'>;

/** How many names a hint lists. */
const LISTED_NAMES = 10;

export function missingTopic(image: Topics, name: string): RequestRefusedError {
  return refusal('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${name}'`, image, name);
}

export function missingPartition({ name, partitions }: TopicImage, partition: number): RequestRefusedError {
  const known = partitions.length === 1 ? 'only partition 0' : `partitions 0 to ${partitions.length - 1}`;
  return new RequestRefusedError('UNKNOWN_TOPIC_OR_PARTITION', `there is no partition ${partition}: '${name}' has ${known}`);
}

export function refusal(code: ErrorName, message: string | null, image: Topics, topic: string): RequestRefusedError {
  return new RequestRefusedError(code, message ?? kafkaErrors[code][2], { hint: hintFor(code, image, topic) });
}

/** What the broker said no with as a refusal; anything else as it is. */
export function refusalOf(thrown: unknown, image: Topics, topic: string): unknown {
  if (!(thrown instanceof KafkaError)) return thrown;
  return new RequestRefusedError(thrown.errorName, thrown.message, { hint: hintFor(thrown.errorName, image, topic), cause: thrown });
}

function hintFor(code: ErrorName, { topics }: Topics, topic: string): string | undefined {
  if (code === 'UNKNOWN_TOPIC_OR_PARTITION' && !topics.has(topic)) return whatTopicsThereAre(topics, topic);
  if (code === 'MESSAGE_TOO_LARGE') return 'The topic setting max.message.bytes says how large a batch may be.';
  if (code === 'KAFKA_STORAGE_ERROR') return "The disk has refused a write: the broker's log says which, and why.";
  return undefined;
}

export function whatTopicsThereAre(topics: ReadonlyMap<string, TopicImage>, asked: string): string {
  const names = [...topics.keys()];
  if (names.length === 0) return 'There are no topics: name some in the topics option, or call createTopic.';
  const near = suggest(asked, names);
  if (near !== undefined) return `Did you mean '${near}'?`;
  const more = names.length > LISTED_NAMES ? ` and ${names.length - LISTED_NAMES} more` : '';
  return `There are: ${names.slice(0, LISTED_NAMES).join(', ')}${more}.`;
}
