// When a member of a consumer group was last heard of, and by when it has to have done what it was asked for. In no record: a
// start begins anew.
export class ConsumerSession {
  /** The member is given up then, unless it is heard of before. */
  deadlineMs = Infinity;
  /** Requests of it that wait for the disk: its session does not run meanwhile. */
  requestsInHand = 0;
  /** By when it has to let go of partitions, and the epoch in which it was asked to. */
  revocation: { readonly deadlineMs: number; readonly memberEpoch: number } | undefined;
  /** By when a member that speaks the classic protocol has to have joined again. */
  joinDeadlineMs = Infinity;
  /** By when it has to have asked for its assignment. */
  syncDeadlineMs = Infinity;

  get earliestDeadlineMs(): number {
    if (this.requestsInHand > 0) return Infinity;
    return Math.min(this.deadlineMs, this.revocation?.deadlineMs ?? Infinity, this.joinDeadlineMs, this.syncDeadlineMs);
  }
}
