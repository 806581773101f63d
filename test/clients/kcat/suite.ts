// kcat: the command line tool over librdkafka, as people use it at a shell. It reads by assignment by nature, and has
// no administration: topics are made for it with kafkajs, and checks of administration are not for it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import kafkajs from 'kafkajs';
import type { CheckId } from '../checks.ts';
import type { ReadRecord, RecordToSend } from '../data.ts';
import { type Driver, type Place, type ProduceOptions, unable } from '../driver.ts';
import type { MemberCommand, MemberOptions } from '../member.ts';
import { runSuite, suiteOrder } from '../suite.ts';

/** librdkafka has the other one from 2.4 on, as a preview, and Debian's kcat is built with an older one. */
const classicAlone = 'this librdkafka has the classic protocol alone';
const administration = 'kcat has no administration';
/** What divides messages, and keys from values, on kcat's input: long enough that no test data holds it. */
const messageEnd = '<<end of message>>';
const keyEnd = '<<end of key>>';
/** Lengths first, because keys and values may hold anything; -1 is null. Headers come last, as `name=value,name=value`. */
const outputFormat = '%o %T %K %S\\n%k%s%h\\n';

/** kcat ended with an error; its words are all there is to know the broker's answer by. */
class KcatError extends Error {
  override readonly name = 'KcatError';
}

/** What kcat (that is, librdkafka) says for an error, and Kafka's name of it. */
const errorTexts: readonly (readonly [text: RegExp, name: string])[] = [
  [/Offset out of range/i, 'OFFSET_OUT_OF_RANGE'],
  [/Message size too large/i, 'MESSAGE_TOO_LARGE'],
  [/Unknown topic or partition/i, 'UNKNOWN_TOPIC_OR_PARTITION'],
  [/failed to validate record/i, 'INVALID_RECORD'],
];

interface MetadataListing {
  controllerid: number;
  brokers: { id: number; name: string }[];
  topics: { topic: string; partitions: { partition: number; leader: number; replicas: { id: number }[]; isrs: { id: number }[] }[] }[];
}

function parseRecords(output: Buffer): ReadRecord[] {
  const records: ReadRecord[] = [];
  let at = 0;
  const line = (): string => {
    const end = output.indexOf('\n', at);
    assert.ok(end >= 0, 'the output of kcat is cut off');
    const text = output.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  const field = (length: number): Buffer | null => {
    if (length < 0) return null;
    at += length;
    return output.subarray(at - length, at);
  };
  while (at < output.length) {
    const [offset, timestampMs, keyLength, valueLength] = line().split(' ').map(Number);
    assert.ok(offset !== undefined && timestampMs !== undefined && keyLength !== undefined && valueLength !== undefined);
    const key = field(keyLength);
    const value = field(valueLength);
    const headers = line()
      .split(',')
      .filter((header) => header !== '')
      .map((header) => [header.slice(0, header.indexOf('=')), Buffer.from(header.slice(header.indexOf('=') + 1))] as const);
    records.push({ offset, timestampMs, key, value, headers });
  }
  return records;
}

const headerFlags = (headers: RecordToSend['headers']): string[] =>
  (headers ?? []).flatMap(([name, value]) => ['-H', `${name}=${value?.toString() ?? ''}`]);

/** One run of kcat sends all its messages with the same headers, and an empty value either as it is or (-Z) as null. */
function sameFlags(records: readonly RecordToSend[]): { flags: string[]; records: RecordToSend[] }[] {
  const runs: { flags: string[]; records: RecordToSend[] }[] = [];
  for (const record of records) {
    const flags = [...headerFlags(record.headers), ...(record.value === null ? ['-Z'] : [])];
    const last = runs.at(-1);
    if (last && last.flags.join('\n') === flags.join('\n')) last.records.push(record);
    else runs.push({ flags, records: [record] });
  }
  return runs;
}

function toInput(records: readonly RecordToSend[]): Buffer {
  return Buffer.concat(
    records.flatMap(({ key, value }) => [
      ...(key === null ? [] : [key, Buffer.from(keyEnd)]),
      value ?? Buffer.alloc(0),
      Buffer.from(messageEnd),
    ]),
  );
}

/** kcat says what comes and what goes, with every assignor; here it becomes what the member owns then. */
function kcatAssignments(): (line: string) => string | undefined {
  const owned = new Set<number>();
  return (line) => {
    if (!line.startsWith('% Group ')) return line.startsWith('read ') ? line : undefined;
    const [, what, places = ''] = / rebalanced.*(assign|revo).*: (.*)$/.exec(line) ?? [];
    for (const [, partition] of places.matchAll(/\[(\d+)\]/g))
      if (what === 'assign') owned.add(Number(partition));
      else owned.delete(Number(partition));
    return `assigned ${[...owned].sort((one, other) => one - other).join(',')}`;
  };
}

class KcatDriver implements Driver {
  readonly client = 'kcat';
  readonly version: string;
  readonly cannot: Partial<Record<CheckId, string>> = {
    'create-one': administration,
    'create-three': administration,
    'create-twice': administration,
    timestamps: 'kcat has no way to give a timestamp',
    'too-new': 'kcat has no way to give a timestamp',
    'describe-cluster': 'kcat does not show the cluster id',
    'delete-topic': administration,
    'recreate-topic': administration,
    'create-partitions': administration,
    'describe-configs': administration,
    'alter-configs': administration,
    'delete-records': administration,
    'group-dies': 'kcat commits when it ends, and a kcat that is killed has committed nothing',
    'group-consumer-leaves': classicAlone,
    'group-consumer-dies': classicAlone,
    'group-consumer-static': classicAlone,
  };
  readonly #brokers: string;
  readonly #helper;
  readonly #helperAdmin;

  constructor(brokers: string) {
    this.#brokers = brokers;
    const said = spawnSync('kcat', ['-V'], { encoding: 'utf8' }).stdout;
    this.version = /Version (\S+) \(.*librdkafka (\S+)/.exec(said)?.slice(1).join('+librdkafka-') ?? 'unknown';
    this.#helper = new kafkajs.Kafka({
      clientId: 'helper-of-kcat-suite',
      brokers: [brokers],
      connectionTimeout: 10_000,
      logLevel: kafkajs.logLevel.NOTHING,
    });
    this.#helperAdmin = this.#helper.admin();
  }

  #spawn(args: readonly string[]) {
    return spawn('kcat', ['-b', this.#brokers, '-m', '30', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async #run(args: readonly string[], input?: Buffer): Promise<Buffer> {
    const kcat = this.#spawn(args);
    const output: Buffer[] = [];
    let said = '';
    kcat.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    kcat.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    kcat.stdin.on('error', (error) => (said += error.message)); // kcat may end before it has read everything
    kcat.stdin.end(input);
    const code = await new Promise<number | null>((closed) => kcat.on('close', closed));
    if (code !== 0 || /^% (ERROR|Delivery failed)/m.test(said)) throw new KcatError(`kcat ended with ${code}: ${said.trim()}`);
    return Buffer.concat(output);
  }

  async #list(topic?: string): Promise<MetadataListing> {
    const listing = await this.#run(['-L', '-J', ...(topic === undefined ? [] : ['-t', topic])]);
    return JSON.parse(listing.toString()) as MetadataListing;
  }

  async createTopic(name: string, { partitions, configs }: { partitions: number; configs?: Record<string, string> }): Promise<void> {
    const configEntries = Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value }));
    await this.#helperAdmin.createTopics({ topics: [{ topic: name, numPartitions: partitions, configEntries }] });
  }

  deleteTopic = (): Promise<never> => unable('delete topics');
  createPartitions = (): Promise<never> => unable('add partitions');
  topicConfigs = (): Promise<never> => unable('describe configs');
  setTopicConfig = (): Promise<never> => unable('change configs');
  deleteRecordsBefore = (): Promise<never> => unable('delete records');

  async listTopics(): Promise<string[]> {
    return (await this.#list()).topics.map(({ topic }) => topic);
  }

  async describeTopic(topic: string) {
    const { topics } = await this.#list(topic);
    return (topics[0]?.partitions ?? []).map(({ partition, leader, replicas, isrs }) => ({
      partition,
      leader,
      replicas: replicas.map(({ id }) => id),
      inSync: isrs.map(({ id }) => id),
    }));
  }

  async describeCluster() {
    const { controllerid, brokers } = await this.#list();
    const addresses = brokers.map(({ id, name }) => {
      const colon = name.lastIndexOf(':');
      return { nodeId: id, host: name.slice(0, colon), port: Number(name.slice(colon + 1)) };
    });
    return { clusterId: '', controllerId: controllerid, brokers: addresses };
  }

  async produce(topic: string, partition: number, records: readonly RecordToSend[], options: ProduceOptions = {}): Promise<void> {
    if (records.some(({ timestampMs }) => timestampMs !== undefined)) return this.#produceWithHelper(topic, partition, records);
    const flags = ['-P', '-t', topic, '-p', String(partition), '-D', messageEnd, '-K', keyEnd];
    flags.push('-X', `acks=${options.acks ?? -1}`, '-X', 'message.max.bytes=4194304');
    if (options.codec) flags.push('-z', options.codec);
    if (options.idempotent === true) flags.push('-X', 'enable.idempotence=true');
    for (const run of sameFlags(records)) await this.#run([...flags, ...run.flags], toInput(run.records));
  }

  /** For records that must bear a certain timestamp. */
  async #produceWithHelper(topic: string, partition: number, records: readonly RecordToSend[]): Promise<void> {
    const producer = this.#helper.producer();
    await producer.connect();
    const messages = records.map(({ key, value, timestampMs }) => ({ partition, key, value, timestamp: String(timestampMs) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async read(topic: string, partition: number, from: number, count: number, flags = ['-e']): Promise<ReadRecord[]> {
    const where = ['-C', '-q', ...flags, '-t', topic, '-p', String(partition), '-o', String(from), '-c', String(count)];
    return parseRecords(await this.#run([...where, '-X', 'auto.offset.reset=error', '-f', outputFormat]));
  }

  async tail(topic: string, partition: number, onceWaiting: () => Promise<void>): Promise<ReadRecord> {
    const end = await this.offset(topic, partition, 'latest'); // kcat's own `-o end` could find its place too late
    const waiting = this.read(topic, partition, end, 1, ['-X', 'fetch.wait.max.ms=20000']);
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // for kcat to start and its request to find nothing
    await onceWaiting();
    const [record] = await waiting;
    assert.ok(record, 'kcat ended without a record');
    return record;
  }

  async consume(group: string, topic: string, count: number): Promise<Place[]> {
    const flags = ['-q', '-c', String(count), '-X', 'auto.offset.reset=earliest', '-f', '%p %o\n'];
    const lines = (await this.#run([...flags, '-G', group, topic])).toString().trim().split('\n');
    return lines.map((line) => {
      const [partition, offset] = line.split(' ').map(Number);
      return { partition: partition ?? -1, offset: offset ?? -1 };
    });
  }

  member({ brokers, group, topic, assignor, instanceId, sessionTimeoutMs }: MemberOptions): MemberCommand {
    const settings = {
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 100,
      'heartbeat.interval.ms': 200,
      'fetch.wait.max.ms': 200,
      'partition.assignment.strategy': assignor === 'cooperative' ? 'cooperative-sticky' : 'roundrobin',
      ...(instanceId !== undefined && { 'group.instance.id': instanceId }),
      ...(sessionTimeoutMs !== undefined && { 'session.timeout.ms': sessionTimeoutMs }),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
    const args = ['-b', brokers, ...flags, '-u', '-f', 'read %p %o\n', '-G', group, topic];
    return { program: 'kcat', args, translate: kcatAssignments(), tellsCommits: false };
  }

  async offset(topic: string, partition: number, at: 'earliest' | 'latest' | { timestampMs: number }): Promise<number> {
    const timestamp = typeof at === 'string' ? { earliest: -2, latest: -1 }[at] : at.timestampMs;
    const answer = (await this.#run(['-Q', '-t', `${topic}:${partition}:${timestamp}`])).toString();
    const offset = /offset (-?\d+)/.exec(answer)?.[1];
    assert.ok(offset !== undefined, `kcat said ${answer}`);
    return Number(offset);
  }

  errorName(thrown: unknown): string | undefined {
    return thrown instanceof KcatError ? errorTexts.find(([text]) => text.test(thrown.message))?.[1] : undefined;
  }

  async close(): Promise<void> {
    await this.#helperAdmin.disconnect();
  }
}

const order = suiteOrder();
await runSuite(new KcatDriver(order.brokers), order);
