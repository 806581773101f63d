// What happens to groups without anybody asking: offsets of topics that are gone go too, and so do those that nobody has use for
// any more, with the groups that have nothing left.
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import type { BrokerConfig } from '../../config/broker-configs.ts';
import { KafkaError } from '../../protocol/errors.ts';
import type { MetadataImage } from '../image/metadata-image.ts';
import type { GroupRunner } from './group-runner.ts';
import type { GroupShard } from './group-shards.ts';
import type { GroupStep } from './group-step.ts';
import type { GroupsState } from './groups-state.ts';
import { expireOffsets, forgetGoneTopics } from './offset-steps.ts';

/** Groups looked at in one turn when many are. */
const GROUPS_PER_TURN = 500;

export interface GroupUpkeepOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly config: () => BrokerConfig;
  readonly image: MetadataImage;
  readonly runner: GroupRunner;
  readonly onFatal: (error: unknown) => void;
}

export class GroupUpkeep {
  readonly #options: GroupUpkeepOptions;
  #cleaning: Disposable | undefined;
  #sweepIsDue = false;
  #closed = false;

  constructor(options: GroupUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cleanLater();
  }

  close(): void {
    this.#closed = true;
    this.#cleaning?.[Symbol.dispose]();
  }

  /** Topics have been removed: what was committed for them goes too, and is gone when this resolves. Never rejects. */
  async forgetGoneTopics(): Promise<void> {
    const { image, runner } = this.#options;
    for (const shard of runner.shards.all()) {
      if (shard.state === undefined) continue; // it looks when it is loaded
      await this.#eachGroup(shard, (state, groupId, step) => forgetGoneTopics(state, groupId, image, step));
    }
  }

  /** A crash may have come between the removal of a topic and that of its offsets. Once for all shards that are loaded together. */
  sweepSoon(): void {
    if (this.#sweepIsDue) return;
    this.#sweepIsDue = true;
    this.#options.env.defer(() => {
      this.#sweepIsDue = false;
      this.forgetGoneTopics().catch(this.#options.onFatal);
    });
  }

  #cleanLater(): void {
    const { env, config } = this.#options;
    this.#cleaning = env.timer(
      config()['offsets.retention.check.interval.ms'],
      () => {
        this.#clean()
          .catch(this.#options.onFatal)
          .finally(() => {
            if (!this.#closed) this.#cleanLater();
          });
      },
      { unref: true },
    );
  }

  async #clean(): Promise<void> {
    for (const shard of this.#options.runner.shards.all()) {
      if (shard.state === undefined) continue;
      await this.#eachGroup(shard, (state, groupId, step) => {
        const group = state.find(groupId);
        if (group !== undefined) expireOffsets(state, group, step);
      });
    }
  }

  /** A step for each group of a shard, with turns for others in between. Stops at the first that is refused; the next time comes. */
  async #eachGroup(shard: GroupShard, look: (state: GroupsState, groupId: string, step: GroupStep) => void): Promise<void> {
    const { env, log, runner } = this.#options;
    const groupIds = [...(shard.state?.groups.keys() ?? [])];
    try {
      for (const [at, groupId] of groupIds.entries()) {
        if (this.#closed) return;
        await runner.stepOn(shard, groupId, (state, step) => look(state, groupId, step), { writes: 'perhaps', transient: true });
        if (at % GROUPS_PER_TURN === GROUPS_PER_TURN - 1) await new Promise<void>((resume) => env.defer(resume));
      }
      await shard.query(undefined, () => undefined);
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown;
      log.warn('offsets that may go stay for now', { error: thrown });
    }
  }
}
