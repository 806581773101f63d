import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Content } from './content.ts';
import { SeededRandom } from './random.ts';

test('any writes and truncations leave what they leave in a plain array', () => {
  for (let seed = 0; seed < 12; seed += 1) {
    const random = new SeededRandom(seed);
    let content = new Content();
    let model = Buffer.alloc(0);
    for (let step = 0; step < 40; step += 1) {
      const position = random.chance(0.4) ? model.length : random.integer(random.pick([10, 5_000, 400_000]));
      if (random.chance(0.15)) {
        content.truncate(position);
        const cut = Buffer.alloc(position);
        model.copy(cut, 0, 0, position);
        model = cut;
      } else {
        const bytes = random.bytes(random.pick([0, 1, 100, 3_000, 140_000]));
        const growth = content.growth(position, bytes.length);
        const before = content.storedBytes;
        content.write(bytes, position);
        assert.equal(content.storedBytes - before, growth);
        if (bytes.length > 0) {
          const longer = Buffer.alloc(Math.max(model.length, position + bytes.length));
          model.copy(longer);
          bytes.copy(longer, position);
          model = longer;
        }
      }
      assert.equal(content.size, model.length);
      if (random.chance(0.1)) content = content.copy();
      const from = random.integer(model.length + 10);
      const into = Buffer.alloc(random.pick([1, 500, 300_000]), 0xaa);
      const got = content.read(into, from);
      assert.equal(got, Math.max(Math.min(into.length, model.length - from), 0));
      assert.ok(into.subarray(0, got).equals(model.subarray(from, from + got)), `seed ${seed}, step ${step}`);
      assert.ok(into.subarray(got).every((byte) => byte === 0xaa));
    }
    const all = Buffer.alloc(model.length);
    content.read(all, 0);
    assert.ok(all.equals(model), `seed ${seed}`);
    content.truncate(0);
    assert.equal(content.storedBytes, 0);
  }
});

test('appending stores what is appended, and a hole stores nothing', () => {
  const content = new Content();
  for (let round = 0; round < 1_000; round += 1) content.write(Buffer.alloc(777, 1), content.size);
  assert.equal(content.size, 777_000);
  assert.equal(content.storedBytes, 777_000);
  content.truncate(10 * 1024 ** 3);
  assert.equal(content.storedBytes, 777_000);
  content.write(Buffer.from([1]), 8 * 1024 ** 3);
  assert.equal(content.storedBytes, 777_001);
});
