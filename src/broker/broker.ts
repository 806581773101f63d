// What the stored facts mean: topics, the partitions led here, and who waits for them.
export interface Broker {
  readonly nodeId: number;
}
