import { describe, test } from 'node:test';
import { rules } from '../../src/core/autodiff/rules/index.ts';
import { checkGradient, withGradient } from '../support/check-gradient.ts';
import { sampleGraph } from '../support/sample-graph.ts';

// Every rule against finite differences on its own samples, in every formulation; then its gradient's gradient.
// A rule alone: node --import tsx --test --test-name-pattern='Conv$' test/conformance/gradients.test.ts

for (const rule of rules.values()) {
  if ('stop' in rule) continue;
  describe(rule.op, () => {
    for (const sample of rule.samples) {
      for (const target of ['ort-cpu', 'ort-cuda'] as const) {
        test(`${sample.name}, ${target}`, () => checkGradient(() => sampleGraph(rule, sample), target));
      }
      test(`${sample.name}, differentiated twice`, () =>
        checkGradient(() => withGradient(sampleGraph(rule, sample), 'ort-cpu'), 'ort-cpu', 1e-2));
    }
  });
}
