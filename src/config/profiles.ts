// What a broker prefers, where nobody says otherwise, that lives as long as a test: it waits for nobody, and keeps few of
// the internal partitions that a cluster needs to spread its groups.
import type { SettingOptions } from './read-settings.ts';

export const testProfile: SettingOptions = {
  'group.initial.rebalance.delay.ms': 0,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.num.partitions': 1,
};
