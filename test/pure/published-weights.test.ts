import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveObjective } from '../../src/spec/resolve-objective.ts';

/** What `"weight": "published"` comes to, by the options it was published with. */

const resolved = (term: object) => {
  const { weight, weighing } = resolveObjective({ terms: [{ weight: 'published', ...term }] }).terms[0]!;
  return weighing ?? weight;
};

test('published weights of losses on logits follow the options', () => {
  const expected: [object, number][] = [
    [{ loss: 'kl' }, 0.9],
    [{ loss: 'kl', standardize: true, temperature: 2 }, 9],
    [{ loss: 'wttm' }, 36],
    // 0.9 for each of five temperatures, whose mean is taken here.
    [{ loss: 'multi-level' }, 4.5],
    [{ loss: 'multi-level', temperatures: [2, 4] }, 1.8],
    [{ loss: 'multi-level', standardize: true }, 45],
    [{ loss: 'regression-kd' }, 0.5],
  ];
  for (const [term, weight] of expected) assert.equal(resolved(term), weight, JSON.stringify(term));
});

test('a definition that has no published weight takes none from another', () => {
  assert.equal(resolved({ loss: 'attention-transfer' }), 'published');
  assert.throws(() => resolved({ loss: 'attention-transfer', definition: 'paper' }), {
    code: 'SPEC_INVALID',
    message: '/objective/terms: the loss "attention-transfer" has no published weight with these options',
    hint: 'Give it a number, or "auto".',
  });
  assert.throws(() => resolved({ loss: 'logit-mse' }), {
    message: '/objective/terms: the loss "logit-mse" has no published weight',
  });
});
