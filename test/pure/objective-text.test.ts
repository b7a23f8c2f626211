import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectiveText } from '../../src/pipeline/report/objective-text.ts';
import { resolveObjective } from '../../src/spec/resolve-objective.ts';

const textOf = (...terms: object[]): string => objectiveText(resolveObjective({ terms }).terms);

test('an objective in words has all that makes it another than the usual one', () => {
  assert.equal(
    textOf({ loss: 'kl', weight: 0.9, temperature: 4 }, { loss: 'cross-entropy', weight: 0.1 }),
    '0.9 x kl (T = 4) + 0.1 x cross-entropy',
  );
  assert.equal(
    textOf({ loss: 'kl', weight: 9, temperature: 2, standardize: true }),
    '9 x kl (T = 2, standardize = true)',
  );
  assert.equal(textOf({ loss: 'kl', temperature: 'learned' }), '1 x kl (T = 4, then learned)');
  const named = { loss: 'fitnet', from: ['a', 'b'], to: ['c', 'd'] };
  assert.equal(textOf({ loss: 'kl' }, named), '1 x kl (T = 4) + 1 x fitnet (`a` with `c`, `b` with `d`)');
});
