import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendComposed } from '../../src/core/autodiff/compositions/append-composed.ts';
import { compositions } from '../../src/core/autodiff/compositions/index.ts';
import { rules } from '../../src/core/autodiff/rules/index.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { lowerNode } from '../../src/core/program/lower-node.ts';
import { cudaKernels } from '../support/cuda-kernels.ts';
import { evaluate } from '../support/graph-values.ts';
import { sampleGraph } from '../support/sample-graph.ts';
import { relativeError } from '../support/training.ts';

/** Operators that engines lack, written in others: what comes out is what onnxruntime's own operator gives. */

for (const op of compositions.keys()) {
  const rule = rules.get(op);
  assert.ok(rule && !('stop' in rule), `${op} has a rule`);
  for (const sample of rule.samples) {
    test(`${op}, ${sample.name}, is what it is made of`, async () => {
      const whole = sampleGraph(rule, sample);
      const node = whole.b.nodes.at(-1)!;
      const given = whole.b.build();
      const parts = GraphBuilder.from({ ...given, nodes: [] });
      appendComposed(parts, node);
      assert.ok(parts.nodes.every((part) => part.op !== op && rules.has(part.op)));
      const [expected, made] = [
        await evaluate(whole.b, whole.outputs, whole.values),
        await evaluate(parts, whole.outputs, whole.values),
      ];
      for (const [name, value] of expected) {
        assert.deepEqual(parts.dims(name), whole.b.dims(name));
        const error = relativeError(made.get(name)!, value);
        assert.ok(error < 1e-6, `${name} is off by ${error}`);
      }
    });

    test(`${op}, ${sample.name}, needs only what CUDA has`, () => {
      const { b } = sampleGraph(rule, sample);
      const lowered = GraphBuilder.from({ ...b.build(), nodes: [] });
      lowerNode(lowered, b.nodes.at(-1)!, 'ort-cuda');
      const missing = lowered.nodes.map((part) => part.op).filter((part) => !cudaKernels.has(part));
      assert.deepEqual(missing, []);
    });
  }
}
