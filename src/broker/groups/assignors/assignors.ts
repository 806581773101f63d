// The assignors by name, as `group.consumer.assignors` and a member's ServerAssignor name them.
import { subscriptionsAreEqual, type Assignor } from './assignor.ts';
import { assignRanges } from './range-assignor.ts';
import { assignEvenly } from './uniform-even.ts';
import { assignUneven } from './uniform-uneven.ts';

/** Balance before stickiness before anything else; for equal subscriptions both are exact. */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign: (input) => (subscriptionsAreEqual(input.members) ? assignEvenly(input) : assignUneven(input)),
};

export const rangeAssignor: Assignor = { name: 'range', assign: assignRanges };

export const assignors: readonly Assignor[] = [uniformAssignor, rangeAssignor];
