// Looks up, in the background and in turns, what the regular expressions of groups mean; what comes of it is a step of its own.
import { Background } from '../../base/background.ts';
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { lookUpRegexes, takeResolvedRegexes } from './consumer-regexes.ts';
import type { GroupStep, MaySee, RegexRefreshes } from './group-step.ts';
import type { GroupTopics } from './group-topics.ts';
import type { GroupsState } from './groups-state.ts';

export interface ConsumerRegexRefreshesOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly topics: GroupTopics;
  readonly step: (groupId: string, run: (state: GroupsState, step: GroupStep) => void) => Promise<void>;
  readonly onFatal: (error: unknown) => void;
}

export class ConsumerRegexRefreshes implements RegexRefreshes {
  readonly #options: ConsumerRegexRefreshesOptions;
  readonly #background: Background;
  readonly #underWay = new Set<string>();
  #closed = false;

  constructor(options: ConsumerRegexRefreshesOptions) {
    this.#options = options;
    this.#background = new Background({ log: options.log, onFatal: options.onFatal });
  }

  isUnderWay(groupId: string): boolean {
    return this.#underWay.has(groupId);
  }

  begin(groupId: string, regexes: readonly string[], maySee: MaySee): void {
    if (this.#closed) return;
    this.#underWay.add(groupId);
    this.#background.run('look up regular expressions', () =>
      this.#refresh(groupId, regexes, maySee).finally(() => this.#underWay.delete(groupId)),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#background.stop();
  }

  async #refresh(groupId: string, regexes: readonly string[], maySee: MaySee): Promise<void> {
    const { env, log, topics, step } = this.#options;
    const wallMs = env.wallMs();
    // The names are copied: topics may come and go between the turns, and then another refresh follows.
    const lookup = lookUpRegexes(regexes, { names: [...topics.names], maySee, version: topics.metadataOffset, wallMs });
    await nextTurn(env);
    let turn = lookup.next();
    for (; turn.done !== true; turn = lookup.next()) {
      await nextTurn(env);
      if (this.#closed) return;
    }
    const resolved = turn.value;
    try {
      await step(groupId, (state, step) => {
        const group = state.find(groupId);
        if (group?.kind === 'consumer') takeResolvedRegexes(group, resolved, step);
      });
    } catch (thrown) {
      // A heartbeat asks for it again.
      if (!(thrown instanceof KafkaError)) throw thrown;
      log.warn('what regular expressions of a group mean was not taken by the disk', { group: groupId, error: thrown });
    }
  }
}

const nextTurn = (env: Env): Promise<void> => new Promise((resume) => env.defer(resume));
