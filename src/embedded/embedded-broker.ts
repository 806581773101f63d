// A running broker as the program sees it that holds it: its methods, its state, and how it ends, by a stop or by a
// failure. Putting it together is start.ts; reading, waiting and producing have files of their own.
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { RunningBroker } from '../assemble/start-broker.ts';
import type {
  Broker,
  BrokerState,
  GroupView,
  GroupWaitOptions,
  MetricSample,
  ReadOptions,
  RecordInput,
  RecordMetadata,
  StopOptions,
  StoredRecord,
  TopicOptions,
  WaitOptions,
} from './api.ts';
import type { Changes } from './changes.ts';
import { BrokerFailedError, BrokerStoppedError } from './errors.ts';
import { viewGroups } from './groups.ts';
import { newTopicOf } from './options.ts';
import { LocalProducer } from './produce.ts';
import { readRecords, type Reading } from './read.ts';
import { missingTopic, refusalOf } from './refusal.ts';
import { waitForGroup } from './wait-group.ts';
import { waitForRecords } from './wait.ts';

/** A broker that has failed may be unable to close in order; whoever stops it does not wait longer than this. */
export const CLOSE_AFTER_FAILURE_MS = 1_000;

export interface EmbeddedBrokerParts {
  readonly running: RunningBroker;
  readonly env: Env;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly changes: Changes;
  readonly host: string;
  readonly dataDir: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onFailed: ((error: BrokerFailedError) => void) | undefined;
}

export class EmbeddedBroker implements Broker {
  readonly bootstrapServers: string;
  readonly port: number;
  readonly clusterId: string;
  readonly dataDir: string | undefined;
  readonly #parts: EmbeddedBrokerParts;
  readonly #reading: Reading;
  readonly #producer: LocalProducer;
  readonly #ended = new AbortController();
  /** Those whose work may never end when the broker fails. */
  readonly #pending = new Set<(failure: BrokerFailedError) => void>();
  #state: BrokerState = 'running';
  #failure: BrokerFailedError | undefined;
  #stopping: Promise<void> | undefined;

  constructor(parts: EmbeddedBrokerParts) {
    const { running, host } = parts;
    this.#parts = parts;
    this.port = running.server.listeners[0]?.port ?? 0;
    this.bootstrapServers = `${host.includes(':') ? `[${host}]` : host}:${this.port}`;
    this.clusterId = running.broker.clusterId;
    this.dataDir = parts.dataDir;
    this.#reading = { broker: running.broker, changes: parts.changes, ended: this.#ended.signal };
    this.#producer = new LocalProducer(running.broker, this.#ended.signal);
    parts.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The broker behind it, for tests of this folder. */
  get internals(): RunningBroker['broker'] {
    return this.#parts.running.broker;
  }

  get state(): BrokerState {
    return this.#state;
  }

  get failure(): BrokerFailedError | undefined {
    return this.#failure;
  }

  readonly createTopic = async (name: string, options?: number | TopicOptions): Promise<void> => {
    this.#checkRunning();
    const { image, topics } = this.#parts.running.broker;
    const [outcome] = await this.#unlessFailed(topics.create([newTopicOf(name, options)], { validateOnly: false }));
    if (outcome !== undefined && 'refused' in outcome) throw refusalOf(outcome.refused, image, name);
  };

  readonly deleteTopic = async (name: string): Promise<void> => {
    this.#checkRunning();
    const { image, topics } = this.#parts.running.broker;
    const topic = image.findTopic(name);
    if (topic === undefined) throw missingTopic(image, name);
    const [refused] = await this.#unlessFailed(topics.delete([topic.id]));
    if (refused !== undefined) throw refusalOf(refused, image, name);
  };

  readonly produce = async (topic: string, ...records: readonly RecordInput[]): Promise<RecordMetadata[]> => {
    this.#checkRunning();
    return this.#unlessFailed(this.#producer.produce(topic, records));
  };

  readonly records = async function* (this: EmbeddedBroker, topic: string, options: ReadOptions = {}): AsyncGenerator<StoredRecord> {
    this.#checkRunning();
    yield* readRecords(this.#reading, topic, options);
    if (this.#failure !== undefined) throw this.#failure;
  }.bind(this);

  readonly waitForRecords = async (topic: string, options: WaitOptions = {}): Promise<StoredRecord[]> => {
    this.#checkRunning();
    try {
      return await waitForRecords(this.#reading, this.#parts.env, topic, options);
    } catch (thrown) {
      throw thrown instanceof BrokerStoppedError ? (this.#failure ?? thrown) : thrown;
    }
  };

  readonly groups = async (): Promise<GroupView[]> => {
    this.#checkRunning();
    return this.#unlessFailed(viewGroups(this.#parts.running.broker));
  };

  readonly waitForGroup = async (groupId: string, options: GroupWaitOptions = {}): Promise<GroupView> => {
    this.#checkRunning();
    const { running, changes, env } = this.#parts;
    try {
      return await this.#unlessFailed(waitForGroup({ broker: running.broker, changes, ended: this.#ended.signal, env }, groupId, options));
    } catch (thrown) {
      throw thrown instanceof BrokerStoppedError ? (this.#failure ?? thrown) : thrown;
    }
  };

  readonly metrics = (): MetricSample[] => this.#parts.metrics.snapshot().map(({ name, labels, value }) => ({ name, labels, value }));

  readonly stop = (options: StopOptions = {}): Promise<void> => (this.#stopping ??= this.#stop(options));

  readonly [Symbol.asyncDispose] = (): Promise<void> => this.stop();

  /** The broker can no longer keep its promises: rejects whoever waits, and takes down what can be taken down. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined || this.#state === 'stopped') return;
    const failure = new BrokerFailedError(cause, this.dataDir);
    this.#failure = failure;
    this.#state = 'failed';
    this.#end();
    for (const reject of this.#pending) reject(failure);
    this.#pending.clear();
    this.#stopping ??= this.#closeFailed();
    const { onFailed, log } = this.#parts;
    try {
      onFailed?.(failure);
    } catch (thrown) {
      log.error('onFailed threw', thrown);
    }
  }

  async #stop({ graceMs }: StopOptions): Promise<void> {
    this.#state = 'stopping';
    this.#end();
    try {
      await this.#unlessFailed(this.#parts.running.stop(graceMs === undefined ? {} : { graceMs }));
    } catch (thrown) {
      // It failed on the way: state and failure say so, and what could be closed is closed.
      if (this.#failure === undefined) throw thrown;
      await this.#closeFailed();
    }
    if (this.#failure === undefined) this.#state = 'stopped';
  }

  /** Never rejects: why the broker failed has been said, and that it then does not close in order either is no news. */
  #closeFailed(): Promise<void> {
    return settledWithin(this.#parts.env, CLOSE_AFTER_FAILURE_MS, this.#parts.running.stop({ graceMs: 0 }));
  }

  /** Ends every wait and every reading. */
  #end(): void {
    this.#parts.signal?.removeEventListener('abort', this.#onAbort);
    this.#ended.abort();
  }

  readonly #onAbort = (): void => {
    this.stop().catch((thrown: unknown) => this.#parts.log.error('the broker did not stop in order', thrown));
  };

  #checkRunning(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'running') throw new BrokerStoppedError();
  }

  #unlessFailed<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      work.then(resolve, reject).finally(() => this.#pending.delete(reject));
    });
  }
}

/** Resolves when the work is over, however it ended, at the latest after `ms`. */
export function settledWithin(env: Pick<Env, 'timer'>, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const patience = env.timer(ms, resolve);
    const over = (): void => {
      patience[Symbol.dispose]();
      resolve();
    };
    work.then(over, over);
  });
}
