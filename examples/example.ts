// What an example is given and what it gives back, and how one is run alone: node examples/order-saga.ts localhost:9092
export interface Stage {
  /** `host:port`, several with commas. */
  readonly brokers: string;
  readonly log: (line: string) => void;
}

/** Plays the example and checks what came of it; resolves with one line about that. @throws when the outcome is wrong */
export type Example = (stage: Stage) => Promise<string>;

/** Against the brokers on the command line, or those of KAFKA_BROKERS; the topics must be there. */
export async function playAlone(example: Example): Promise<void> {
  const brokers = process.argv[2] ?? process.env['KAFKA_BROKERS'] ?? 'localhost:9092';
  console.log(await example({ brokers, log: (line) => console.log(line) }));
}
