// Sensor telemetry: devices send readings with the client they were shipped with (kafkajs), a monitor on another client
// keeps a rolling average for each sensor and warns when it passes the threshold, not at a single outlier.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { envelope, isRecord } from './envelope.ts';
import { playAlone, type Example, type Stage } from './example.ts';
import { Participant } from './participant.ts';

const TOPIC = 'multi-partition-topic';
const WINDOW = 4;
const THRESHOLD = 80;

/** Degrees, in order of time. One outlier alone is no reason to warn; a trend is. */
const sensors: Readonly<Record<string, readonly number[]>> = {
  'boiler-1': [70, 74, 79, 84, 88, 91],
  'boiler-2': [60, 61, 95, 60, 61, 60],
  'intake-1': [20, 20, 21, 21, 20, 20],
};

class RollingAverage {
  readonly #values: number[] = [];

  /** The average of the last readings, this one included; undefined until there are enough. */
  add(value: number): number | undefined {
    this.#values.push(value);
    if (this.#values.length > WINDOW) this.#values.shift();
    if (this.#values.length < WINDOW) return undefined;
    return this.#values.reduce((sum, each) => sum + each, 0) / WINDOW;
  }
}

interface Reading {
  readonly sensor: string;
  readonly sequence: number;
  readonly celsius: number;
}

const isReading = (payload: unknown): payload is Reading =>
  isRecord(payload) &&
  typeof payload['sensor'] === 'string' &&
  Number.isInteger(payload['sequence']) &&
  Number.isFinite(payload['celsius']);

export const sensorTelemetry: Example = async ({ brokers, log }) => {
  const fleet = randomUUID();
  await using monitor = await Participant.join('monitor', TOPIC, brokers);
  const total = Object.values(sensors).flat().length;
  const [{ warnings, sequences }] = await Promise.all([watch(monitor, fleet, total, log), sendReadings(brokers, fleet)]);

  assert.deepEqual(warnings, ['boiler-1 81.25', 'boiler-1 85.5']);
  for (const [sensor, readings] of Object.entries(sensors))
    assert.deepEqual(sequences.get(sensor), [...readings.keys()], `${sensor} in order`);
  return `${total} readings of ${sequences.size} sensors, ${warnings.length} warnings, none for the outlier`;
};

async function sendReadings(brokers: string, fleet: string): Promise<void> {
  const devices = new kafkajs.Kafka({ clientId: 'devices', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).producer();
  await devices.connect();
  try {
    await Promise.all(
      Object.entries(sensors).map(async ([sensor, readings]) => {
        for (const [sequence, celsius] of readings.entries()) {
          const event = envelope('SensorReading', { sender: sensor, correlationId: fleet }, { sensor, sequence, celsius });
          // The key keeps the readings of a sensor in order.
          await devices.send({ topic: TOPIC, messages: [{ key: sensor, value: JSON.stringify(event) }] });
        }
      }),
    );
  } finally {
    await devices.disconnect();
  }
}

/** Until `total` readings of the fleet have come: the warnings, and the sequence numbers by sensor. */
async function watch(
  monitor: Participant,
  fleet: string,
  total: number,
  log: Stage['log'],
): Promise<{ warnings: string[]; sequences: Map<string, number[]> }> {
  const averages = new Map(Object.keys(sensors).map((sensor) => [sensor, new RollingAverage()]));
  const sequences = new Map(Object.keys(sensors).map((sensor): [string, number[]] => [sensor, []]));
  const warnings: string[] = [];
  let seen = 0;
  for await (const { received } of monitor.deliveries()) {
    if (!received.ok || received.event.correlationId !== fleet || !isReading(received.event.payload)) continue;
    const { sensor, sequence, celsius } = received.event.payload;
    const average = averages.get(sensor)?.add(celsius);
    sequences.get(sensor)?.push(sequence);
    if (average !== undefined && average > THRESHOLD) {
      warnings.push(`${sensor} ${average}`);
      log(`monitor: ${sensor} averages ${average} over ${WINDOW} readings, more than ${THRESHOLD}`);
    }
    seen += 1;
    if (seen === total) break;
  }
  return { warnings, sequences };
}

if (import.meta.main) await playAlone(sensorTelemetry);
