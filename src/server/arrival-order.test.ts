import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivalOrder } from './arrival-order.ts';

function recorded(): { order: ArrivalOrder; staged: string[]; stage: (name: string) => () => string } {
  const staged: string[] = [];
  return { order: new ArrivalOrder(), staged, stage: (name) => () => (staged.push(name), name) };
}

test('with nothing ahead a stage runs at once, without a promise', () => {
  const { order, stage } = recorded();
  assert.equal(order.run(order.enter(), stage('a')), 'a');
  assert.equal(order.run(order.enter(), stage('b')), 'b');
});

test('stages run in the order of arrival, whatever becomes ready first', async () => {
  const { order, staged, stage } = recorded();
  const [a, b, c, d] = [order.enter(), order.enter(), order.enter(), order.enter()];
  const later = [order.run(d, stage('d')), order.run(b, stage('b'))];
  assert.deepEqual(staged, []);
  assert.equal(order.run(a, stage('a')), 'a');
  assert.deepEqual(staged, ['a', 'b']);
  assert.equal(order.run(c, stage('c')), 'c');
  assert.deepEqual(staged, ['a', 'b', 'c', 'd']);
  assert.deepEqual([await later[0], await later[1]], ['d', 'b']);
});

test('a request that is done without staging holds nobody back', async () => {
  const { order, staged, stage } = recorded();
  const [a, b, c] = [order.enter(), order.enter(), order.enter()];
  const third = order.run(c, stage('c'));
  order.pass(b);
  assert.deepEqual(staged, []);
  order.pass(a);
  order.pass(a);
  assert.deepEqual(staged, ['c']);
  assert.equal(await third, 'c');
});

test('a stage that throws fails its own request and lets the next one go on', async () => {
  const { order, staged, stage } = recorded();
  const [a, b, c] = [order.enter(), order.enter(), order.enter()];
  const fails = (): never => {
    throw new Error('no');
  };
  const second = Promise.resolve(order.run<never>(b, fails));
  const third = order.run(c, stage('c'));
  assert.throws(() => order.run(a, fails), /no/);
  await assert.rejects(second, /no/);
  assert.equal(await third, 'c');
  assert.deepEqual(staged, ['c']);
});

test('a request may stage again after its turn, and pass during its stage', () => {
  const { order, staged, stage } = recorded();
  const [a, b] = [order.enter(), order.enter()];
  void order.run(b, stage('b'));
  void order.run(a, () => {
    staged.push('a');
    order.pass(a);
    order.pass(b);
  });
  assert.equal(order.run(a, stage('again')), 'again');
  assert.deepEqual(staged, ['a', 'b', 'again']);
});
