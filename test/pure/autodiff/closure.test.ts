import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendGradients } from '../../../src/core/autodiff/backward.ts';
import type { Target } from '../../../src/core/autodiff/rule.ts';
import { rules } from '../../../src/core/autodiff/rules/index.ts';
import { sampleGraph } from '../../support/sample-graph.ts';

// Gradients are ordinary graphs: whatever a rule emits has itself a rule or a declared stop, in the default domain.

const targets: readonly Target[] = ['ort-cpu', 'ort-cuda'];

for (const rule of rules.values()) {
  if ('stop' in rule) continue;
  test(`${rule.op} emits only operators that have a rule or a declared stop`, () => {
    assert.ok(rule.samples.length > 0, 'a rule carries samples');
    for (const target of targets) {
      for (const sample of rule.samples) {
        const { b, wrt, outputs } = sampleGraph(rule, sample);
        const cotangents = new Map(
          outputs.map((name) => [name, b.input(`d_${name}`, 'float32', b.dims(name))]),
        );
        const before = b.nodes.length;
        appendGradients(b, { outputs: cotangents, wrt, target });
        for (const node of b.nodes.slice(before)) {
          assert.equal(node.domain, '', `${sample.name}: ${node.op}`);
          assert.ok(rules.has(node.op), `${sample.name}: emits ${node.op}, which has no rule`);
        }
      }
    }
  });
}
