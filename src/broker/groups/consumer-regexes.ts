// Regular expressions that members subscribe to: checked when they come, and looked up among the topics outside of steps, since
// there may be many topics; what was found becomes a record, and the group gets another epoch if it reads something else now
// (maybeUpdateRegularExpressions and handleRegularExpressionsResult of Kafka 4.2).
import type { ConsumerGroup } from './consumer-group.ts';
import { regexOf, type ConsumerMember } from './consumer-member.ts';
import { groupEpochRecord, regexRecord, regexTombstone, type ResolvedRegex } from './consumer-records.ts';
import type { GroupStep, MaySee } from './group-step.ts';
import { compileTopicRegex, type TopicRegex } from './topic-regex.ts';

/** However many topics come and go, a group's expressions are not looked up more often. */
const LEAST_REFRESH_INTERVAL_MS = 10_000;
/** And at least so often while members send heartbeats: who may see a topic may have changed (group.consumer.regex.refresh.interval.ms of Kafka). */
const MOST_REFRESH_INTERVAL_MS = 10 * 60_000;

/** `known`: the topics of the new expression have been looked up for others already, or there is no new one. */
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
    } else if (next === undefined || group.resolvedRegexes.has(next)) {
      // Nothing else would raise the epoch for one that only takes its expression back, and nobody would read what it lets go of (as
      // happens with Kafka 4.2).
      change = 'known';
    }
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
  let cost = 0;
  const compiled: { regex: string; matcher: TopicRegex; topics: Set<string> }[] = [];
  for (const regex of regexes) {
    const matcher = matcherOf(regex);
    compiled.push({ regex, matcher, topics: new Set() });
    cost += matcher.programSize * COMPILING;
    if (cost >= COST_OF_A_TURN) {
      yield;
      cost = 0;
    }
  }
  const programSize = compiled.reduce((sum, { matcher }) => sum + matcher.programSize, 0);
  for (const name of names) {
    const found = compiled.filter(({ matcher }) => matcher.matches(name));
    if (found.length > 0 && maySee(name)) for (const { topics } of found) topics.add(name);
    cost += programSize * name.length + LOOKING;
    if (cost >= COST_OF_A_TURN) {
      yield;
      cost = 0;
    }
  }
  return new Map(compiled.map(({ regex, topics }) => [regex, { topics, version, timestampMs: wallMs }]));
}

/**
 * In instructions for each character, 80 ns each where a hostile expression keeps all of its program alive and some ns where it does not:
 * a turn takes 20 ms at the very worst. To look at a name, and to compile an instruction, costs as much as so many.
 */
const COST_OF_A_TURN = 250_000;
const LOOKING = 500;
const COMPILING = 100;

function matcherOf(regex: string): TopicRegex {
  try {
    return compileTopicRegex(regex);
  } catch {
    // It was checked when it came, perhaps by a Kafka that takes what we do not: then it means nothing here.
    return { matches: () => false, programSize: 0 };
  }
}
