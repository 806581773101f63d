// A driver whose library lives in another language: the calls of driver.ts go as lines of JSON to a process and come
// back the same way, bytes as base64. The checks stay here, so that all clients are asked the same in the same words.
//
//   to it:    {"id":1,"method":"createTopic","params":{...}}
//   from it:  first {"client":...,"version":...,"cannot":{...}}, then {"id":1,"result":...}
//             or {"id":1,"error":{"code":36,"message":...}}, code being Kafka's number or null, in any order
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { protocolErrorsCodesById } from '@platformatic/kafka';
import type { CheckId } from './checks.ts';
import type { ReadRecord, RecordToSend } from './data.ts';
import type { ClusterDescription, Driver, Place, PartitionDescription, ProduceOptions } from './driver.ts';

type WireBytes = string | null;
type WireRecord = [offset: number, timestampMs: number, key: WireBytes, value: WireBytes, headers: [name: string, value: WireBytes][]];

interface Greeting {
  readonly client: string;
  readonly version: string;
  readonly cannot: Partial<Record<CheckId, string>>;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number | null; readonly message: string };
}

class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly code: number | null;

  constructor({ code, message }: { code: number | null; message: string }) {
    super(message);
    this.code = code;
  }
}

const pack = (bytes: Buffer | null): WireBytes => bytes?.toString('base64') ?? null;
const unpack = (text: WireBytes): Buffer | null => (text === null ? null : Buffer.from(text, 'base64'));

const packRecord = ({ key, value, headers, timestampMs }: RecordToSend) => ({
  key: pack(key),
  value: pack(value),
  headers: (headers ?? []).map(([name, value]) => [name, pack(value)]),
  timestampMs: timestampMs ?? null,
});

const unpackRecord = ([offset, timestampMs, key, value, headers]: WireRecord): ReadRecord => ({
  offset,
  timestampMs,
  key: unpack(key),
  value: unpack(value),
  headers: headers.map(([name, value]) => [name, unpack(value)] as const),
});

class RemoteDriver implements Driver {
  readonly client: string;
  readonly version: string;
  readonly cannot: Greeting['cannot'];
  readonly #call: (method: string, params: object) => Promise<unknown>;
  readonly #end: () => Promise<void>;
  readonly member: Driver['member'];

  constructor(
    { client, version, cannot }: Greeting,
    call: (method: string, params: object) => Promise<unknown>,
    end: () => Promise<void>,
    member: Driver['member'],
  ) {
    this.member = member;
    this.client = client;
    this.version = version;
    this.cannot = cannot;
    this.#call = call;
    this.#end = end;
  }

  async createTopic(name: string, { partitions, configs }: { partitions: number; configs?: Record<string, string> }): Promise<void> {
    await this.#call('createTopic', { name, partitions, configs: configs ?? {} });
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#call('deleteTopic', { name });
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#call('createPartitions', { topic, count });
  }

  async listTopics(): Promise<string[]> {
    return (await this.#call('listTopics', {})) as string[];
  }

  async describeTopic(topic: string): Promise<PartitionDescription[]> {
    return (await this.#call('describeTopic', { topic })) as PartitionDescription[];
  }

  async describeCluster(): Promise<ClusterDescription> {
    return (await this.#call('describeCluster', {})) as ClusterDescription;
  }

  async topicConfigs(topic: string): Promise<Map<string, string | null>> {
    return new Map(Object.entries((await this.#call('topicConfigs', { topic })) as Record<string, string | null>));
  }

  async setTopicConfig(topic: string, key: string, value: string): Promise<void> {
    await this.#call('setTopicConfig', { topic, key, value });
  }

  async deleteRecordsBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.#call('deleteRecordsBefore', { topic, partition, offset });
  }

  async produce(
    topic: string,
    partition: number,
    records: readonly RecordToSend[],
    { acks = -1, codec, idempotent = false }: ProduceOptions = {},
  ): Promise<void> {
    await this.#call('produce', { topic, partition, records: records.map(packRecord), acks, codec: codec ?? null, idempotent });
  }

  async read(topic: string, partition: number, offset: number, count: number): Promise<ReadRecord[]> {
    const records = (await this.#call('read', { topic, partition, offset, count, fetchWaitMs: 500 })) as WireRecord[];
    return records.map(unpackRecord);
  }

  async tail(topic: string, partition: number, onceWaiting: () => Promise<void>): Promise<ReadRecord> {
    const offset = await this.offset(topic, partition, 'latest');
    const waiting = this.#call('read', { topic, partition, offset, count: 1, fetchWaitMs: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // for the request to reach the broker and find nothing
    await onceWaiting();
    const [record] = (await waiting) as WireRecord[];
    if (record === undefined) throw new Error('the read ended without a record');
    return unpackRecord(record);
  }

  async consume(group: string, topic: string, count: number): Promise<Place[]> {
    return (await this.#call('consume', { group, topic, count })) as Place[];
  }

  async offset(topic: string, partition: number, at: 'earliest' | 'latest' | { timestampMs: number }): Promise<number> {
    const timestampMs = typeof at === 'string' ? null : at.timestampMs;
    return (await this.#call('offset', { topic, partition, at: typeof at === 'string' ? at : 'timestamp', timestampMs })) as number;
  }

  errorName(thrown: unknown): string | undefined {
    return thrown instanceof RemoteError && thrown.code !== null ? protocolErrorsCodesById[thrown.code] : undefined;
  }

  async close(): Promise<void> {
    await this.#call('close', {});
    await this.#end();
  }
}

export async function startRemoteDriver(command: string, args: readonly string[], member: Driver['member']): Promise<Driver> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const greeting = Promise.withResolvers<Greeting>();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const closed = Promise.withResolvers<void>();

  const onLine = (line: string): void => {
    const said = JSON.parse(line) as Greeting | Answer;
    if ('client' in said) return greeting.resolve(said);
    const call = waiting.get(said.id);
    waiting.delete(said.id);
    if (said.error) call?.reject(new RemoteError(said.error));
    else call?.resolve(said.result);
  };
  createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
  const failAll = (error: Error): void => {
    greeting.reject(error);
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
    closed.resolve();
  };
  child.on('error', failAll);
  child.on('close', (code, signal) => failAll(new Error(`${command} ended with ${signal ?? `exit code ${code}`}`)));
  child.stdin.on('error', failAll);

  let lastId = 0;
  const call = async (method: string, params: object): Promise<unknown> => {
    lastId += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(lastId, answer);
    child.stdin.write(`${JSON.stringify({ id: lastId, method, params })}\n`);
    return answer.promise;
  };
  const end = (): Promise<void> => {
    child.stdin.end();
    return closed.promise;
  };
  return new RemoteDriver(await greeting.promise, call, end, member);
}
