import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  broadcastDim,
  broadcastShapes,
  joinShapes,
  productOf,
  quotientOf,
  unify,
} from '../../../src/core/onnx/ops/dims.ts';

test('products keep a single symbol and nothing more', () => {
  assert.equal(productOf([2, 3]), 6);
  assert.equal(productOf(['N', 1]), 'N');
  assert.equal(productOf(['N', 2]), '');
  assert.equal(productOf(['N', 0]), 0);
  assert.equal(productOf(['N', 'M']), '');
});

test('quotients cancel symbols that stand on both sides', () => {
  assert.equal(quotientOf(['N', 3, 4], ['N']), 12);
  assert.equal(quotientOf(['N', 12], [12]), 'N');
  assert.equal(quotientOf(['N', 12], [4]), '');
  assert.equal(quotientOf([5, 3], [4]), undefined);
  assert.equal(quotientOf(['N', 12], ['', 12]), '');
  assert.equal(quotientOf([12], [0]), '');
});

test('broadcasting takes numbers above one over symbols and refuses what cannot fit', () => {
  assert.equal(broadcastDim('N', 1), 'N');
  assert.equal(broadcastDim('N', 3), 3);
  assert.equal(broadcastDim('N', 'M'), '');
  assert.equal(broadcastDim(2, 3), undefined);
  assert.deepEqual(broadcastShapes([['N', 1, 4], [3, 1], []]), ['N', 3, 4]);
  assert.equal(broadcastShapes([[2], [3]]), undefined);
});

test('unifying contradicting numbers fails; joining them forgets', () => {
  assert.equal(unify(2, 3), undefined);
  assert.equal(unify('N', 3), 3);
  assert.equal(unify('', 'N'), 'N');
  assert.deepEqual(joinShapes([2, 'N'], [3, 'N']), ['', 'N']);
  assert.equal(joinShapes([2], [2, 2]), undefined);
});
