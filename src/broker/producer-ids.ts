// Producer ids (KIP-98): handed out from blocks that the metadata log remembers, so that no two producers ever get the
// same one, whatever crashes in between. What is left of a block is lost with the process.
import type { MetadataController } from './metadata-controller.ts';

/** Kafka's ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE. */
const BLOCK_SIZE = 1000;

export class ProducerIds {
  readonly #controller: MetadataController;
  readonly #nodeId: number;
  #next = 0;
  #end = 0;
  #fetching: Promise<void> | undefined;

  constructor(options: { controller: MetadataController; nodeId: number }) {
    this.#controller = options.controller;
    this.#nodeId = options.nodeId;
  }

  /** @throws what the metadata log throws when a new block cannot be taken */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#fetching ??= this.#fetchBlock().finally(() => (this.#fetching = undefined));
      await this.#fetching;
    }
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  async #fetchBlock(): Promise<void> {
    const first = await this.#controller.execute((image) => ({
      records: [
        {
          type: 'ProducerIdsRecord' as const,
          value: {
            brokerId: this.#nodeId,
            brokerEpoch: image.brokers.get(this.#nodeId)?.epoch ?? -1,
            nextProducerId: image.nextProducerId + BLOCK_SIZE,
          },
        },
      ],
      reply: image.nextProducerId,
    }));
    this.#next = first;
    this.#end = first + BLOCK_SIZE;
  }
}
