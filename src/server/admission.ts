// Who may connect: how many connections in all, from one address, and how many new ones a second. Counts; the listener
// closes those that are refused.
import { isLoopback } from './addresses.ts';

export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  /** Other limits for single addresses, IPv4 unmapped. `localhost` stands for every loopback address without an entry of its own. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
  /** New connections a second; a second's worth may come at once. */
  readonly maxConnectionCreationRate: number;
}

export type Refusal = 'max.connections' | 'max.connections.per.ip' | 'max.connection.creation.rate';

export class Admission {
  #limits: AdmissionLimits;
  readonly #perIp = new Map<string, number>();
  #open = 0;
  /** What is left of the creation rate, and when it was last filled up. */
  #tokens: number;
  #filledMs: number;

  constructor(limits: AdmissionLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.maxConnectionCreationRate;
    this.#filledMs = nowMs;
  }

  get open(): number {
    return this.#open;
  }

  /** Other limits from now on; who is in stays in. */
  configure(limits: AdmissionLimits): void {
    this.#limits = limits;
  }

  /** Counts a new connection in, or says which setting refuses it. One that is let in must leave through `leave`. */
  enter(address: string, nowMs: number): Refusal | undefined {
    const ofAddress = this.#perIp.get(address) ?? 0;
    if (this.#open >= this.#limits.maxConnections) return 'max.connections';
    if (ofAddress >= this.#limitOf(address)) return 'max.connections.per.ip';
    const rate = this.#limits.maxConnectionCreationRate;
    this.#tokens = Math.min(rate, this.#tokens + ((nowMs - this.#filledMs) / 1000) * rate);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return 'max.connection.creation.rate';
    this.#tokens -= 1;
    this.#open += 1;
    this.#perIp.set(address, ofAddress + 1);
    return undefined;
  }

  leave(address: string): void {
    this.#open -= 1;
    const left = (this.#perIp.get(address) ?? 0) - 1;
    if (left > 0) this.#perIp.set(address, left);
    else this.#perIp.delete(address);
  }

  #limitOf(address: string): number {
    const overrides = this.#limits.maxConnectionsPerIpOverrides;
    const named = overrides.get(address) ?? (isLoopback(address) ? overrides.get('localhost') : undefined);
    return named ?? this.#limits.maxConnectionsPerIp;
  }
}
