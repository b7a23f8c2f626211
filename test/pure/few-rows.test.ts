import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { fewRowWarnings } from '../../src/pipeline/teacher/few-row-warnings.ts';
import { resolveObjective } from '../../src/spec/resolve-objective.ts';
import { featureProgram, randomPairs } from '../support/feature-program.ts';

/** Losses that compare rows say so where there are too few, or too many. */

const build = (name: keyof typeof losses, rows: number, options: object = {}) => {
  const loss: Loss = losses[name];
  const pairs = randomPairs([{ student: [rows, 3], teacher: [rows, 3] }]);
  return featureProgram(loss, pairs, resolveOptions(loss.options, { ...options }, name));
};

test('a batch too small for a loss to compare rows is refused, not learned from in vain', () => {
  for (const [name, least] of [
    ['pkt', 2],
    ['similarity-preserving', 2],
    ['pkd', 2],
    ['relational', 3],
  ] as const) {
    build(name, least);
    assert.throws(() => build(name, least - 1), {
      code: 'SPEC_INVALID',
      message: new RegExp(
        `"${name}" compares the rows of a batch and needs ${least}; a batch has ${least - 1}`,
      ),
      hint: `Give train.batchSize ${least} or more.`,
    });
  }
});

test('angles of more rows than memory holds are refused; distances alone are not', () => {
  assert.throws(() => build('relational', 400), {
    code: 'SPEC_INVALID',
    message: /400\^3 angles/,
    hint: 'Give train.batchSize 322 or less, or "angle": 0.',
  });
  build('relational', 400, { angle: 0 });
  assert.throws(() => build('relational', 4, { angle: 0, distance: 0 }), /neither distances nor angles/);
});

test('crd without labels is warned of where many rows are their own negatives', () => {
  const warned = (rows: number, options: object = {}) => {
    const { terms } = resolveObjective({ terms: [{ loss: 'crd', ...options }, { loss: 'kl' }] });
    return fewRowWarnings(rows, { phases: [{ terms }, { terms }] as never });
  };
  assert.deepEqual(warned(100), []);
  assert.deepEqual(warned(2048, { among: 'any-rows' }), []);
  assert.deepEqual(warned(2047, { among: 'any-rows' }), [
    '"crd" keeps 1024 embeddings of 2047 training rows: many rows are their own negatives; give it "negatives" of 1023 at most',
  ]);
});
