// Regular expressions that members subscribe to: checked when they come, and looked up among the topics outside of steps, since
// there may be many topics; what was found becomes a record, and the group gets another epoch if it reads something else now
// (maybeUpdateRegularExpressions and handleRegularExpressionsResult of Kafka 4.2).
import type { ConsumerGroup } from './consumer-group.ts';
import { regexOf, type ConsumerMember } from './consumer-member.ts';
import { groupEpochRecord, regexRecord, regexTombstone, type ResolvedRegex } from './consumer-records.ts';
import type { GroupStep, MaySee } from './group-step.ts';
import { compileTopicRegex } from './topic-regex.ts';

/** However many topics come and go, a group's expressions are not looked up more often. */
const LEAST_REFRESH_INTERVAL_MS = 10_000;
/** And at least so often while members send heartbeats: who may see a topic may have changed (group.consumer.regex.refresh.interval.ms of Kafka). */
const MOST_REFRESH_INTERVAL_MS = 10 * 60_000;

/** `known`: the topics of the new expression have been looked up for others already. */
export type RegexChange = 'none' | 'unknown' | 'known';

/**
 * Notes that a member has turned to another expression, and sees to it that those of the group are looked up when it is time.
 * @throws KafkaError INVALID_REGULAR_EXPRESSION
 */
export function followRegexes(
  group: ConsumerGroup,
  { before, after, maySee }: { before: ConsumerMember; after: ConsumerMember; maySee: MaySee },
  step: GroupStep,
): RegexChange {
  const { groupId } = group;
  const [old, next] = [regexOf(before), regexOf(after)];
  let change: RegexChange = 'none';
  let isNew = false;
  if (before.subscribedTopicRegex !== after.subscribedTopicRegex) {
    change = 'unknown';
    if (next !== undefined && !group.regexSubscribers.has(next)) {
      compileTopicRegex(next);
      isNew = true;
    } else if (next !== undefined && group.resolvedRegexes.has(next)) change = 'known';
    if (old !== undefined && group.regexSubscribers.get(old) === 1) step.records.push(regexTombstone(groupId, old));
  }
  const subscribed = new Map(group.regexSubscribers);
  count(subscribed, old, -1);
  count(subscribed, next, 1);
  if (subscribed.size > 0 && isRefreshDue(group, subscribed, isNew, step)) {
    const regexes = [...subscribed.keys()];
    step.onceApplied(() => step.regexRefreshes.begin(groupId, regexes, maySee));
  }
  return change;
}

function isRefreshDue(group: ConsumerGroup, subscribed: ReadonlyMap<string, number>, isNew: boolean, step: GroupStep): boolean {
  if (!isNew && group.regexSubscribers.size === 0) return false;
  if (step.regexRefreshes.isUnderWay(group.groupId)) return false;
  const [latest] = group.resolvedRegexes.values();
  if (latest !== undefined && step.wallMs <= latest.timestampMs + LEAST_REFRESH_INTERVAL_MS) return false;
  return (
    isNew ||
    subscribed.size !== group.resolvedRegexes.size ||
    latest === undefined ||
    latest.version < step.topics.offsetWithNewTopics ||
    step.wallMs > latest.timestampMs + MOST_REFRESH_INTERVAL_MS
  );
}

function count(counts: Map<string, number>, regex: string | undefined, by: 1 | -1): void {
  if (regex === undefined) return;
  const next = (counts.get(regex) ?? 0) + by;
  if (next > 0) counts.set(regex, next);
  else counts.delete(regex);
}

/** The topics that have been looked up are taken over; a group that is gone meanwhile, or has let go of an expression, is left alone. */
export function takeResolvedRegexes(group: ConsumerGroup, resolved: ReadonlyMap<string, ResolvedRegex>, step: GroupStep): void {
  const { groupId } = group;
  const topics = new Set<string>();
  for (const { subscribedTopicNames } of group.members.values()) for (const name of subscribedTopicNames) topics.add(name);
  let readsOthers = false;
  for (const regex of group.regexSubscribers.keys()) {
    const before = group.resolvedRegexes.get(regex);
    const now = resolved.get(regex);
    for (const name of (now ?? before)?.topics ?? []) topics.add(name);
    if (now === undefined) continue;
    if (!sameTopics(before?.topics ?? NO_TOPICS, now.topics)) readsOthers = true;
    step.records.push(regexRecord(groupId, regex, now));
  }
  const { version } = step.topics;
  const hash = step.topics.hashOf(topics);
  if (!readsOthers && hash === group.metadataHash) return;
  step.records.push(groupEpochRecord(groupId, group.groupEpoch + 1, hash));
  step.onceAppliedTo(groupId, (applied) => (applied.seenTopicsVersion = version));
}

const NO_TOPICS: ReadonlySet<string> = new Set();

const sameTopics = (left: ReadonlySet<string>, right: ReadonlySet<string>): boolean =>
  left.size === right.size && [...left].every((name) => right.has(name));

/** Which topics the expressions mean. Yields now and then, after which others may have their turn. */
export function* lookUpRegexes(
  regexes: readonly string[],
  { names, maySee, version, wallMs }: { names: readonly string[]; maySee: MaySee; version: number; wallMs: number },
): Generator<void, ReadonlyMap<string, ResolvedRegex>> {
  const compiled = regexes.map((regex) => ({ regex, matches: matcherOf(regex), topics: new Set<string>() }));
  for (const [at, name] of names.entries()) {
    const found = compiled.filter(({ matches }) => matches(name));
    if (found.length > 0 && maySee(name)) for (const { topics } of found) topics.add(name);
    if (at % NAMES_PER_TURN === NAMES_PER_TURN - 1) yield;
  }
  return new Map(compiled.map(({ regex, topics }) => [regex, { topics, version, timestampMs: wallMs }]));
}

const NAMES_PER_TURN = 200;

function matcherOf(regex: string): (name: string) => boolean {
  try {
    const compiled = compileTopicRegex(regex);
    return (name) => compiled.matches(name);
  } catch {
    // It was checked when it came, perhaps by a Kafka that takes what we do not: then it means nothing here.
    return () => false;
  }
}
