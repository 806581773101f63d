// An audit ledger: accounts are not stored, they follow from what happened to them. The bank keeps balances while it
// works; an auditor who was not there rebuilds them by replaying the topic, and has to arrive at the same.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isRecord } from './envelope.ts';
import { playAlone, type Example } from './example.ts';
import { Participant } from './participant.ts';

const TOPIC = 'test-topic'; // one partition: one order for everything that happened

type LedgerEvent =
  | { readonly type: 'AccountOpened'; readonly account: string; readonly owner: string }
  | { readonly type: 'MoneyDeposited' | 'MoneyWithdrawn'; readonly account: string; readonly amount: number }
  | { readonly type: 'MoneyTransferred'; readonly from: string; readonly to: string; readonly amount: number };

/** Amounts in cents. */
class Accounts {
  readonly balances = new Map<string, number>();

  /** @throws Error when it may not happen; nothing has changed then */
  apply(event: LedgerEvent): void {
    switch (event.type) {
      case 'AccountOpened':
        if (this.balances.has(event.account)) throw new Error(`${event.account} is open already`);
        this.balances.set(event.account, 0);
        break;
      case 'MoneyDeposited':
        this.#move(event.account, event.amount);
        break;
      case 'MoneyWithdrawn':
        this.#move(event.account, -event.amount);
        break;
      case 'MoneyTransferred':
        if (!this.balances.has(event.to)) throw new Error(`there is no account ${event.to}`);
        this.#move(event.from, -event.amount);
        this.#move(event.to, event.amount);
        break;
    }
  }

  #move(account: string, amount: number): void {
    const balance = this.balances.get(account);
    if (balance === undefined) throw new Error(`there is no account ${account}`);
    if (balance + amount < 0) throw new Error(`${account} has ${balance}, ${-amount} are wanted`);
    this.balances.set(account, balance + amount);
  }
}

/** What the payload of a ledger event says, if it is one; anybody may write to the topic. */
function ledgerEventOf(type: string, payload: unknown): LedgerEvent | undefined {
  if (!isRecord(payload)) return undefined;
  const { account, owner, from, to, amount } = payload;
  const isAmount = Number.isSafeInteger(amount) && Number(amount) > 0;
  if (type === 'AccountOpened' && typeof account === 'string' && typeof owner === 'string') return { type, account, owner };
  if ((type === 'MoneyDeposited' || type === 'MoneyWithdrawn') && typeof account === 'string' && isAmount)
    return { type, account, amount: Number(amount) };
  if (type === 'MoneyTransferred' && typeof from === 'string' && typeof to === 'string' && isAmount)
    return { type, from, to, amount: Number(amount) };
  return undefined;
}

const wishes: readonly LedgerEvent[] = [
  { type: 'AccountOpened', account: 'A-1', owner: 'anna' },
  { type: 'AccountOpened', account: 'B-1', owner: 'bert' },
  { type: 'MoneyDeposited', account: 'A-1', amount: 100_00 },
  { type: 'MoneyWithdrawn', account: 'A-1', amount: 20_00 },
  { type: 'MoneyTransferred', from: 'A-1', to: 'B-1', amount: 30_00 },
  { type: 'MoneyTransferred', from: 'B-1', to: 'A-1', amount: 900_00 }, // more than there is
  { type: 'MoneyDeposited', account: 'B-1', amount: 5_00 },
  { type: 'MoneyWithdrawn', account: 'C-1', amount: 1_00 }, // nobody's
];

export const auditLedger: Example = async ({ brokers, log }) => {
  const ledger = randomUUID();
  await using bank = await Participant.join('bank', TOPIC, brokers);
  const begin = [...bank.positions];
  const accounts = new Accounts();
  let refused = 0;
  for (const { type, ...payload } of wishes) {
    try {
      accounts.apply({ type, ...payload } as LedgerEvent);
    } catch (error) {
      refused += 1;
      log(`bank: ${type} refused: ${(error as Error).message}`);
      continue; // what did not happen is not written
    }
    await bank.send(type, ledger, payload);
    log(`bank: ${type} ${JSON.stringify(payload)}`);
  }

  await using auditor = await Participant.join('auditor', TOPIC, brokers);
  const rebuilt = new Accounts();
  const seen = new Set<string>();
  let replayed = 0;
  for (const { received } of await auditor.replay(begin)) {
    if (!received.ok || received.event.correlationId !== ledger || seen.has(received.event.eventId)) continue;
    seen.add(received.event.eventId); // a producer that tries again may have written an event twice
    const event = ledgerEventOf(received.event.eventType, received.event.payload);
    if (event === undefined) continue;
    rebuilt.apply(event);
    replayed += 1;
  }
  for (const [account, balance] of rebuilt.balances) log(`auditor: ${account} has ${(balance / 100).toFixed(2)}`);

  assert.deepEqual(rebuilt.balances, accounts.balances, 'the replay arrives where the bank is');
  assert.deepEqual(
    rebuilt.balances,
    new Map([
      ['A-1', 50_00],
      ['B-1', 35_00],
    ]),
  );
  assert.equal(refused, 2);
  return `${replayed} events replayed, ${rebuilt.balances.size} accounts rebuilt to the cent, ${refused} wishes refused`;
};

if (import.meta.main) await playAlone(auditLedger);
