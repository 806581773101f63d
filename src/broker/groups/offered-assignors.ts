// Which assignors the settings offer to consumer groups.
import { consumerAssignors } from '../../config/coordinator-configs.ts';
import type { Assignor } from './assignors/assignor.ts';
import { assignors } from './assignors/assignors.ts';

const known = new WeakMap<readonly string[], ReadonlyMap<string, Assignor>>();

/** By name, in the order of the setting `group.consumer.assignors`; the first serves members that name none. */
export function offeredAssignors(setting: readonly string[]): ReadonlyMap<string, Assignor> {
  const before = known.get(setting);
  if (before !== undefined) return before;
  const offered = new Map<string, Assignor>();
  for (const text of setting) {
    const assignor = assignors.find(({ name }) => name === consumerAssignors.get(text));
    if (assignor !== undefined) offered.set(assignor.name, assignor);
  }
  known.set(setting, offered);
  return offered;
}
