import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitInput } from './split-input.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function split(text: string, delimiter: string, size: number): Promise<string[]> {
  const found: string[] = [];
  for await (const pieces of splitInput(inPieces(text, size), Buffer.from(delimiter))) found.push(...pieces.map(String));
  return found;
}

test('the input is cut at every delimiter, wherever its chunks end', async () => {
  for (let size = 1; size <= 12; size += 1) {
    assert.deepEqual(await split('one\n\nthree\nlast', '\n', size), ['one', '', 'three', 'last'], `chunks of ${size}`);
    assert.deepEqual(await split('a<>b<<>c>d<>', '<>', size), ['a', 'b<', 'c>d'], `chunks of ${size}`);
  }
});

test('the end of the input ends the last piece, and nothing after the last delimiter is no piece', async () => {
  assert.deepEqual(await split('', '\n', 5), []);
  assert.deepEqual(await split('a\n', '\n', 5), ['a']);
  assert.deepEqual(await split('a', '\n', 5), ['a']);
  assert.deepEqual(await split('\n', '\n', 5), ['']);
});
