import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetText } from '../../../src/cli/card-text.ts';
import { datasetCard } from '../../../src/data/card.ts';

const rejects = { count: 0, byReason: {}, listed: [] };

/** The card of a dataset with one training row of each class, and one more of the last. */
function cardOf(classes: readonly string[]) {
  const rows = classes.length + 1;
  const labels = Int32Array.from({ length: rows }, (_, row) => Math.min(row, classes.length - 1));
  const hashes = Uint32Array.from({ length: 2 * rows }, (_, i) => i);
  const train = Uint32Array.from(labels, (_, row) => row);
  const splits = { train, validation: new Uint32Array(), test: new Uint32Array() };
  return datasetCard({ format: 'csv', columns: [], classes, rejects }, { labels, hashes }, splits);
}

test('a card lists a thousand classes and counts all of them, however many', () => {
  const card = cardOf(Array.from({ length: 300_000 }, (_, i) => `${i}`));
  assert.deepEqual([card.classCount, card.classesCut, card.classes.length], [300_000, true, 1000]);
  assert.deepEqual(card.classes.at(-1), { name: '999', counts: { train: 1, validation: 0, test: 0 } });
  assert.deepEqual(card.balance, { smallest: 1, largest: 2, majority: 2 / 300_001 });
  assert.match(datasetText(card), /^classes {2}300,000; [\s\S]*\.\.\. and 299,970 more classes$/m);
});

test('the names of classes are cut at 200 characters, never within one', () => {
  const card = cardOf(['a'.repeat(400), `${'b'.repeat(199)}\u{1f600}`, 'c'.repeat(200)]);
  assert.deepEqual([card.classCount, card.classesCut], [3, true]);
  const names = card.classes.map(({ name }) => name);
  assert.deepEqual(names, ['a'.repeat(200), 'b'.repeat(199), 'c'.repeat(200)]);
  const most = cardOf(Array.from({ length: 2000 }, (_, i) => `${i}`.padEnd(400, '\u20ac')));
  assert.ok(JSON.stringify(most).length < 2 ** 19);
});

test('a card of few classes is whole', () => {
  const card = cardOf(['x', 'y']);
  assert.deepEqual([card.classCount, card.classesCut, card.classes.length], [2, false, 2]);
  const none = { labels: new Int32Array(), hashes: new Uint32Array() };
  const splits = { train: new Uint32Array(), validation: new Uint32Array(), test: new Uint32Array() };
  const empty = datasetCard({ format: 'csv', columns: [], classes: [], rejects }, none, splits);
  assert.deepEqual(empty.balance, { smallest: 0, largest: 0, majority: 0 });
});
