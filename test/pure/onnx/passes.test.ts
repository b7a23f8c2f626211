import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float, floats } from '../../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Model } from '../../../src/core/onnx/model.ts';
import { foldBatchNorm } from '../../../src/core/onnx/passes/fold-batch-norm.ts';
import { foldShapes } from '../../../src/core/onnx/passes/fold-shapes.ts';
import { passes } from '../../../src/core/onnx/passes/index.ts';
import { inferenceMode } from '../../../src/core/onnx/passes/inference-mode.ts';
import { lowerSequences } from '../../../src/core/onnx/passes/lower-sequences.ts';
import { applyPass, type Pass } from '../../../src/core/onnx/passes/pass.ts';
import { prepareTraining } from '../../../src/core/onnx/passes/prepare-training.ts';
import { prune } from '../../../src/core/onnx/passes/prune.ts';
import { setBatch } from '../../../src/core/onnx/passes/set-batch.ts';
import { toOpset18 } from '../../../src/core/onnx/passes/to-opset-18.ts';
import { untieInitializers } from '../../../src/core/onnx/passes/untie-initializers.ts';
import { numbers, tensor } from '../../../src/core/onnx/tensor.ts';
import { RetortError } from '../../../src/errors.ts';

const opsOf = (model: Model): string[] => model.graph.nodes.map((node) => node.op);

function model(opset: number, build: (b: GraphBuilder) => string | string[]): Model {
  const b = new GraphBuilder({ '': opset });
  b.output(...[build(b)].flat());
  return b.model();
}

const unsupported = (pattern: RegExp) => (error: unknown) =>
  error instanceof RetortError && error.code === 'ONNX_UNSUPPORTED' && pattern.test(error.message);

test('pass names are the keys of the registry', () => {
  for (const [name, pass] of Object.entries(passes)) assert.equal(pass.name, name);
});

test('applyPass reports an unmet need as unsupported and a broken promise as a bug', () => {
  const m = model(18, (b) => b.op('Relu', [b.input('x', 'float32', [2])]));
  const needy: Pass = { name: 'needy', summary: '', requires: () => ['no luck'], run: (x) => x };
  assert.throws(() => applyPass(needy, m, {}), unsupported(/needy: no luck/));
  const liar: Pass = { name: 'liar', summary: '', run: (x) => x, ensures: () => ['nothing done'] };
  assert.throws(() => applyPass(liar, m, {}), /liar failed its own promise/);
});

test('to-opset-18 moves settings to inputs and refuses by name what it cannot convert', () => {
  const old = model(9, (b) => {
    const x = b.input('x', 'float32', [2, 3, 4]);
    const cut = b.op('Slice', [x], { starts: [1], ends: [3], axes: [2] });
    const flat = b.op('Softmax', [b.op('Unsqueeze', [cut], { axes: [0] })], { axis: 1 });
    return b.op('Pad', [flat], { pads: [0, 0, 0, 0, 0, 0, 0, 1], value: float(2) });
  });
  const now = applyPass(toOpset18, old, {});
  assert.equal(now.opsets[''], 18);
  assert.deepEqual(opsOf(now), ['Slice', 'Unsqueeze', 'Flatten', 'Softmax', 'Shape', 'Reshape', 'Pad']);
  assert.equal(now.graph.nodes.at(-1)!.inputs.length, 3);

  const wrap = model(19, (b) =>
    b.op('Pad', [b.input('x', 'float32', [3]), b.ints([1, 4])], { mode: 'wrap' }, { name: 'edge' }),
  );
  assert.throws(() => applyPass(toOpset18, wrap, {}), unsupported(/Pad "edge".*wrap/));
  const ancient = model(6, (b) => b.op('Relu', [b.input('x', 'float32', [2])]));
  assert.throws(() => applyPass(toOpset18, ancient, {}), unsupported(/opset 6/));
});

test('softmax over a flattened picture of one pixel keeps its axis', () => {
  const old = model(11, (b) => b.op('Softmax', [b.input('x', 'float32', ['N', 1000, 1, 1])], {}));
  const [node] = applyPass(toOpset18, old, {}).graph.nodes;
  assert.deepEqual(node!.attributes.axis, { type: 'int', value: 1n });
});

test('Upsample becomes a Resize that samples alike', () => {
  const old = model(7, (b) =>
    b.op('Upsample', [b.input('x', 'float32', [1, 1, 2, 2])], {
      scales: floats([1, 1, 2, 2]),
      mode: 'nearest',
    }),
  );
  const [node] = applyPass(toOpset18, old, {}).graph.nodes;
  assert.equal(node!.op, 'Resize');
  const text = (name: string) =>
    new TextDecoder().decode((node!.attributes[name] as { value: Uint8Array }).value);
  assert.equal(text('coordinate_transformation_mode'), 'asymmetric');
  assert.equal(text('nearest_mode'), 'floor');
});

test('untie-initializers gives each copy a name of its own, unless it is tied on purpose', () => {
  const tied = model(18, (b) => {
    const w = b.initializer('w', tensor('float32', [2], [1, 2]));
    const copy = b.op('Identity', [w], {}, { outputs: ['v'] });
    const second = b.op('Identity', [copy], {}, { outputs: ['u'] });
    return b.op('Add', [b.op('Mul', [b.input('x', 'float32', [2]), w]), b.op('Mul', [copy, second])]);
  });
  const now = applyPass(untieInitializers, tied, {});
  assert.deepEqual([...now.graph.initializers.keys()], ['w', 'v', 'u']);
  assert.equal(now.graph.initializers.get('v')!.bytes, tied.graph.initializers.get('w')!.bytes);
  assert.deepEqual(opsOf(now), ['Mul', 'Mul', 'Add']);
  assert.equal(applyPass(untieInitializers, tied, { tied: new Set(['w', 'v']) }), tied);
});

test('fold-shapes never folds a float initializer, which may be trained', () => {
  const m = model(18, (b) => {
    const t = b.initializer('t', tensor('float32', [], [4]));
    return b.op('Mul', [b.input('x', 'float32', [2]), b.op('Sqrt', [t])]);
  });
  assert.deepEqual(opsOf(applyPass(foldShapes, m, {})), ['Sqrt', 'Mul']);
  const told = applyPass(foldShapes, m, { foldable: (name) => name === 't' });
  assert.deepEqual(opsOf(told), ['Mul']);
});

test('fold-shapes takes the known branch of an If and writes -1 for the one symbolic dimension', () => {
  const branch = (name: string, value: number) => {
    const inner = new GraphBuilder();
    inner.output(inner.op('Constant', [], { value_int: value }, { outputs: [name] }));
    return { type: 'graph', value: inner.build(name) } as const;
  };
  const m = model(18, (b) => {
    const x = b.input('x', 'float32', ['N', 6, 8]);
    const dims = b.op('Shape', [x]);
    const rank = b.op('Size', [dims]);
    const three = b.op('Equal', [rank, b.constant(3, 'int64')]);
    const group = b.op('If', [three], { then_branch: branch('v', 4), else_branch: branch('v', 5) });
    const first = b.op('Slice', [dims, b.ints([0]), b.ints([1])]);
    const target = b.op('Concat', [first, b.op('Unsqueeze', [group, b.ints([0])]), b.ints([12])], {
      axis: 0,
    });
    return b.op('Reshape', [x, target]);
  });
  const now = applyPass(foldShapes, m, { noops: true });
  assert.deepEqual(opsOf(now), ['Reshape']);
  assert.deepEqual(numbers(now.graph.initializers.get(now.graph.nodes[0]!.inputs[1]!)!), [-1, 4, 12]);
});

test('a sequence of parts becomes a Split', () => {
  const m = model(18, (b) => {
    const x = b.input('x', 'float32', [3, 2]);
    const parts = b.op('SplitToSequence', [x, b.constant(1, 'int64')], { axis: 0 });
    const at = (i: number) => b.op('SequenceAt', [parts, b.constant(i, 'int64')]);
    return b.op('Sub', [at(2), at(-3)]);
  });
  const now = applyPass(foldShapes, applyPass(lowerSequences, m, {}), { noops: true });
  assert.deepEqual(opsOf(now), ['Split', 'Sub']);
  const [split, sub] = now.graph.nodes;
  assert.deepEqual(sub!.inputs, [split!.outputs[2], split!.outputs[0]]);
});

test('fold-batch-norm scales weights by the formula and leaves shared values alone', () => {
  const build = (shared: boolean) =>
    model(18, (b) => {
      const w = b.initializer('w', tensor('float32', [2, 1, 1, 1], [1, 2]));
      const bias = b.initializer('b', tensor('float32', [2], [10, 20]));
      const y = b.op('Conv', [b.input('x', 'float32', ['N', 1, 4, 4]), w, bias]);
      const rest = [
        [2, 3],
        [1, 1],
        [4, 5],
        [0.25, 0.75],
      ].map((v, i) => b.initializer(`s${i}`, tensor('float32', [2], v)));
      const normal = b.op('BatchNormalization', [y, ...rest], { epsilon: float(0.25) });
      return shared ? [normal, y] : normal;
    });
  const now = applyPass(foldBatchNorm, build(false), {});
  assert.deepEqual(opsOf(now), ['Conv']);
  const root = Math.SQRT1_2;
  const expected = { w: [2 / root, 6], b: [((10 - 4) * 2) / root + 1, (20 - 5) * 3 + 1] };
  for (const [name, values] of Object.entries(expected)) {
    numbers(now.graph.initializers.get(name)!).forEach((v, i) => {
      assert.ok(Math.abs(v - values[i]!) < 1e-5 * Math.abs(values[i]!), `${name}[${i}] is ${v}`);
    });
  }
  const kept = build(true);
  assert.equal(applyPass(foldBatchNorm, kept, {}), kept);
});

test('inference-mode drops training outputs and Dropout', () => {
  const m = model(18, (b) => {
    const x = b.input('x', 'float32', ['N', 2]);
    const rest = [1, 2, 3, 4].map((v) => b.initializer(`s${v}`, tensor('float32', [2], [v, v])));
    const [y, mean] = b.ops('BatchNormalization', [x, ...rest], { training_mode: 1 }, { outputs: 3 });
    const dropped = b.op('Dropout', [y!, b.constant(0.5), b.constant([1], 'bool', [])]);
    return [b.op('Relu', [dropped]), b.op('Identity', [mean!], {}, { outputs: ['next'] })];
  });
  const now = applyPass(inferenceMode, m, {});
  assert.deepEqual(opsOf(now), ['BatchNormalization', 'Relu']);
  assert.deepEqual(
    now.graph.outputs.map((output) => output.name),
    ['relu'],
  );
  assert.equal(now.graph.nodes[0]!.attributes.training_mode, undefined);
});

test('prune cuts a graph at new outputs', () => {
  const m = model(18, (b) => {
    const x = b.input('x', 'float32', ['N', 2]);
    const spare = b.input('spare', 'float32', ['N']);
    const h = b.op('Relu', [x], {}, { outputs: ['h'] });
    return b.op('Mul', [b.op('Neg', [h]), b.op('Unsqueeze', [spare, b.ints([1])])]);
  });
  const cut = applyPass(prune, m, { outputs: ['h'], inputs: true });
  assert.deepEqual(opsOf(cut), ['Relu']);
  assert.deepEqual(
    cut.graph.inputs.map((input) => input.name),
    ['x'],
  );
  assert.throws(() => applyPass(prune, m, { outputs: ['nothing'] }), unsupported(/no value named "nothing"/));
});

test('set-batch repairs constants that repeat a fixed batch', () => {
  const m = model(18, (b) => {
    const x = b.input('x', 'float32', [1, 4, 6]);
    const token = b.initializer('token', tensor('float32', [1, 1, 6], [1, 2, 3, 4, 5, 6]));
    const joined = b.op('Concat', [token, x], { axis: 1 });
    return b.op(
      'Reshape',
      [b.op('Reshape', [joined, b.ints([1, 5, 2, 3])]), b.ints([1, 30])],
      {},
      { outputs: ['y'] },
    );
  });
  const free = applyPass(setBatch, m, { batch: 'N' });
  assert.deepEqual(free.graph.outputs[0]!.shape, ['N', 30]);
  assert.ok(opsOf(free).includes('Expand'));
  assert.deepEqual(applyPass(setBatch, free, { batch: 8 }).graph.outputs[0]!.shape, [8, 30]);
});

test('set-batch refuses graphs whose rows are not apart, naming the operator', () => {
  const refused = (build: (b: GraphBuilder, x: string) => string) => {
    const m = model(18, (b) => build(b, b.input('x', 'float32', [1, 4])));
    return () => applyPass(setBatch, m, { batch: 'N' });
  };
  assert.throws(
    refused((b, x) => b.op('ReduceSum', [x, b.ints([0])])),
    unsupported(/ReduceSum/),
  );
  assert.throws(
    refused((b, x) => b.op('Softmax', [x], { axis: 0 })),
    unsupported(/Softmax.*mixes/),
  );
  assert.throws(
    refused((b, x) => b.op('Squeeze', [x, b.ints([0])])),
    unsupported(/Squeeze/),
  );
  assert.throws(
    refused((b, x) => b.op('MatMul', [b.op('Transpose', [x]), x])),
    unsupported(/MatMul/),
  );
  const pairs = (b: GraphBuilder, x: string) => b.op('MatMul', [x, b.op('Transpose', [x])]);
  assert.throws(refused(pairs), unsupported(/MatMul.*against one another/));
  const column = (b: GraphBuilder) => b.initializer('w', tensor('float32', [3, 1], [1, 2, 3]));
  assert.throws(
    refused((b, x) => b.op('MatMul', [column(b), x])),
    unsupported(/MatMul.*loses/),
  );
  assert.throws(
    refused((b, x) => b.op('Concat', [x, x], { axis: 0 })),
    unsupported(/Concat.*along the batch/),
  );
});

test('prepareTraining brings an old graph to opset 18 with nothing left to compute beforehand', () => {
  const m = model(12, (b) => {
    const x = b.input('x', 'float32', ['N', 3, 4]);
    const dims = b.op('Shape', [x]);
    const first = b.op('Gather', [dims, b.constant(0, 'int64')]);
    const target = b.op('Concat', [b.op('Unsqueeze', [first], { axes: [0] }), b.ints([12])], { axis: 0 });
    return b.op('Dropout', [b.op('Relu', [b.op('Reshape', [x, target])])]);
  });
  const now = prepareTraining(m, { shapes: { x: [5, 3, 4] } });
  assert.deepEqual(opsOf(now), ['Reshape', 'Relu', 'Dropout']);
  assert.deepEqual(now.graph.outputs[0]!.shape, [5, 12]);
});
