// Which topics a command means: by their names, or by patterns over all that there are.
import type { Cluster, ClusterMetadata, TopicMetadata } from '../client/cluster.ts';
import type { KafkaError } from '../protocol/errors.ts';
import { usageError } from './exit-codes.ts';

export interface NameFlags {
  readonly regex?: boolean;
  readonly internal?: boolean;
}

export interface FoundTopics {
  readonly metadata: ClusterMetadata;
  readonly topics: readonly TopicMetadata[];
  /** Of names that do not exist, or may not be seen. */
  readonly refusals: ReadonlyMap<string, KafkaError>;
}

/**
 * The topics of these names, or whose whole names match these patterns; all when there is neither. Internal topics are
 * found by name, and by patterns and `all` only with --internal.
 * @throws CommandError when a pattern is none
 */
export async function findTopics(cluster: Cluster, words: readonly string[], { regex, internal }: NameFlags): Promise<FoundTopics> {
  if (words.length > 0 && regex !== true) {
    const metadata = await cluster.metadata([...new Set(words)]);
    return { metadata, topics: [...metadata.topics.values()], refusals: metadata.refusals };
  }
  const patterns = words.map(parsePattern);
  const metadata = await cluster.metadata('all');
  const topics = [...metadata.topics.values()].filter(
    (topic) => (internal === true || !topic.internal) && (patterns.length === 0 || patterns.some((pattern) => pattern.test(topic.name))),
  );
  return { metadata, topics, refusals: new Map() };
}

/** For whole names. @throws CommandError */
export function parsePattern(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (thrown) {
    throw usageError(`'${text}' is not a regular expression: ${thrown instanceof Error ? thrown.message : ''}`);
  }
}
