// One request in hand: what its handler may know of it, and what its connection keeps until the answer has left.
import type { Logger } from '../base/log.ts';
import type { Broker } from '../broker/broker.ts';
import type { ConnectionView, RequestContext } from '../handlers/handler.ts';
import type { Connection } from './connection.ts';
import type { Frame } from './frames.ts';
import type { ServedApi } from './served-apis.ts';

export class ServedRequest implements RequestContext {
  readonly api: ServedApi;
  readonly frame: Frame;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** Its place in the order of arrival. */
  readonly place: number;
  clientId: string | null = null;
  /** What will be sent, empty when no answer is; undefined until it is answered. */
  answer: readonly Uint8Array[] | undefined = undefined;
  readonly #connection: Connection;

  constructor(connection: Connection, api: ServedApi, frame: Frame) {
    this.#connection = connection;
    this.api = api;
    this.frame = frame;
    this.apiVersion = frame.bytes.readInt16BE(2);
    this.correlationId = frame.bytes.readInt32BE(4);
    this.place = connection.order.enter();
  }

  get broker(): Broker {
    return this.#connection.broker;
  }

  get connection(): ConnectionView {
    return this.#connection;
  }

  get apiKey(): number {
    return this.api.key;
  }

  get principal(): string {
    return this.#connection.principal;
  }

  get receivedMs(): number {
    return this.frame.arrivedMs;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  get log(): Logger {
    return this.#connection.log;
  }

  tellClientId(clientId: string | null): void {
    this.clientId = clientId;
    this.#connection.clientId = clientId;
  }

  /** Allows all until there is security. */
  authorize(_operation: string, _resourceType: string, _resourceName: string): void {}

  inArrivalOrder<Result>(stage: () => Result): Result | Promise<Result> {
    return this.#connection.order.run(this.place, stage);
  }
}
