import assert from 'node:assert/strict';
import { test } from 'node:test';
import { innerLayers } from '../../src/core/losses/inner-layers.ts';

const ends = (...depths: number[]) => depths.map((depth) => ({ name: `${depth}`, dims: [4], depth }));
const taken = (...depths: number[]) => innerLayers(ends(...depths)).map(({ depth }) => depth);

test('a network with few layers is taught at each, the deepest one last', () => {
  assert.deepEqual(taken(), []);
  assert.deepEqual(taken(0.5), [0.5]);
  assert.deepEqual(taken(0.1, 0.2, 0.3, 0.9), [0.1, 0.2, 0.3, 0.9]);
});

test('one with many is taught at a quarter, a half and three quarters of the way to the deepest', () => {
  assert.deepEqual(taken(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), [0.2, 0.4, 0.6, 0.8]);
  assert.deepEqual(taken(0.7, 0.71, 0.72, 0.73, 0.8), [0.7, 0.71, 0.72, 0.8]);
});
