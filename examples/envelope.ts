// The one shape that every event of these examples has, whoever sends it: what it is, when and by whom it was said, and
// which conversation it belongs to. Reading never throws: what others write may be anything.
import { randomUUID } from 'node:crypto';

export interface Envelope {
  /** Different for every event: who has seen it already may skip it. */
  readonly eventId: string;
  readonly eventType: string;
  /** ISO 8601, of the sender. */
  readonly timestamp: string;
  /** The same for all events that one cause has led to. */
  readonly correlationId: string;
  readonly sender: string;
  /** What the event type is about; its reader checks it. */
  readonly payload: unknown;
}

export function envelope(eventType: string, from: { sender: string; correlationId: string }, payload: unknown): Envelope {
  const { sender, correlationId } = from;
  return { eventId: randomUUID(), eventType, timestamp: new Date().toISOString(), correlationId, sender, payload };
}

export type Received = { readonly ok: true; readonly event: Envelope } | { readonly ok: false; readonly problem: string };

export function readEnvelope(value: Buffer | null): Received {
  if (value === null) return { ok: false, problem: 'the record has no value' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    return { ok: false, problem: `not JSON: ${value.toString().slice(0, 40)}` };
  }
  if (!isRecord(parsed)) return { ok: false, problem: 'not an object' };
  const { eventId, eventType, timestamp, correlationId, sender, payload } = parsed;
  for (const [name, field] of Object.entries({ eventId, eventType, timestamp, correlationId, sender }))
    if (typeof field !== 'string' || field === '') return { ok: false, problem: `no ${name}` };
  if (Number.isNaN(Date.parse(String(timestamp)))) return { ok: false, problem: 'the timestamp is none' };
  return { ok: true, event: { ...(parsed as unknown as Envelope), payload } };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
