// An order saga over three services that know only events: orders are placed, payments processed, customers notified.
// Somebody writes a malformed record in between; the payment service logs it, skips it, and goes on.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isRecord } from './envelope.ts';
import { playAlone, type Example, type Stage } from './example.ts';
import { Participant } from './participant.ts';

const TOPIC = 'test-topic';
const CREDIT_LIMIT = 500;

const orders = [
  { orderId: 'order-1', customer: 'anna', amount: 120 },
  { orderId: 'order-2', customer: 'bert', amount: 990 },
  { orderId: 'order-3', customer: 'clara', amount: 45 },
];

export const orderSaga: Example = async ({ brokers, log }) => {
  await using shop = await Participant.join('order-service', TOPIC, brokers);
  await using payments = await Participant.join('payment-service', TOPIC, brokers);
  await using notifications = await Participant.join('notification-service', TOPIC, brokers);
  const sagas = new Map(orders.map((order) => [randomUUID() as string, order]));
  const skipped: string[] = [];
  const [told] = await Promise.all([
    outcomes(shop, new Set(sagas.keys())).finally(() => {
      payments.leave();
      notifications.leave();
    }),
    processPayments(payments, skipped, log),
    notifyCustomers(notifications, log),
    placeOrders(shop, sagas, log),
  ]);

  assert.deepEqual(
    [...sagas].map(([correlationId, { orderId }]) => [orderId, told.get(correlationId)]),
    [
      ['order-1', 'anna: order-1 is paid'],
      ['order-2', 'bert: order-2 was declined'],
      ['order-3', 'clara: order-3 is paid'],
    ],
  );
  assert.equal(skipped.length, 1, 'the payment service skipped the malformed record, and nothing else');
  return `${told.size} orders went through three services, 1 malformed record was skipped`;
};

async function placeOrders(shop: Participant, sagas: ReadonlyMap<string, (typeof orders)[number]>, log: Stage['log']): Promise<void> {
  for (const [correlationId, order] of sagas) {
    await shop.send('OrderPlaced', correlationId, order);
    log(`${shop.name}: ${order.orderId} placed for ${order.amount}`);
    if (order.orderId === 'order-1') await shop.sendRaw('{"eventId": "cut off in the mid', 'nobody');
  }
}

async function processPayments(service: Participant, skipped: string[], log: Stage['log']): Promise<void> {
  for await (const { received, partition, offset } of service.deliveries()) {
    if (!received.ok) {
      skipped.push(received.problem);
      log(`${service.name}: skipped partition ${partition} offset ${offset}: ${received.problem}`);
      continue;
    }
    const { eventType, correlationId, payload } = received.event;
    if (eventType !== 'OrderPlaced' || !isRecord(payload)) continue; // an event for somebody else
    const { orderId, customer, amount } = payload;
    const status = typeof amount === 'number' && amount <= CREDIT_LIMIT ? 'paid' : 'declined';
    await service.send('PaymentProcessed', correlationId, { orderId, customer, status });
    log(`${service.name}: ${String(orderId)} ${status}`);
  }
}

async function notifyCustomers(service: Participant, log: Stage['log']): Promise<void> {
  for await (const { received } of service.deliveries()) {
    if (!received.ok || received.event.eventType !== 'PaymentProcessed' || !isRecord(received.event.payload)) continue;
    const { orderId, customer, status } = received.event.payload;
    const text = `${String(customer)}: ${String(orderId)} ${status === 'paid' ? 'is paid' : 'was declined'}`;
    await service.send('NotificationSent', received.event.correlationId, { text });
    log(`${service.name}: ${text}`);
  }
}

/** The notifications of these sagas, once there is one for each. */
async function outcomes(shop: Participant, open: Set<string>): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  for await (const { received } of shop.deliveries()) {
    if (!received.ok || received.event.eventType !== 'NotificationSent' || !isRecord(received.event.payload)) continue;
    const { correlationId, payload } = received.event;
    if (open.delete(correlationId)) told.set(correlationId, String(payload['text']));
    if (open.size === 0) break;
  }
  return told;
}

if (import.meta.main) await playAlone(orderSaga);
