import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { joinModels } from '../../src/core/onnx/join.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { foldBatchNorm } from '../../src/core/onnx/passes/fold-batch-norm.ts';
import { foldShapes } from '../../src/core/onnx/passes/fold-shapes.ts';
import { inferenceMode } from '../../src/core/onnx/passes/inference-mode.ts';
import { lowerSequences } from '../../src/core/onnx/passes/lower-sequences.ts';
import { applyPass, type Pass } from '../../src/core/onnx/passes/pass.ts';
import { prune } from '../../src/core/onnx/passes/prune.ts';
import { setBatch } from '../../src/core/onnx/passes/set-batch.ts';
import { toOpset18 } from '../../src/core/onnx/passes/to-opset-18.ts';
import { untieInitializers } from '../../src/core/onnx/passes/untie-initializers.ts';
import { splitFrozen } from '../../src/core/onnx/split-frozen.ts';
import { tapLogits } from '../../src/core/onnx/tap-logits.ts';
import { assertClose } from '../support/compare.ts';
import { feedsFor, realModels } from '../support/real-models.ts';
import { runModel } from '../support/run-model.ts';

const models = realModels();
const skip = models.length === 0 && 'no shared fixtures';

/** Unfused, in one order: what a pass leaves alone gives the same bits. */
const run = (model: Model, feeds: Parameters<typeof runModel>[1]) => {
  const outputs = model.graph.outputs.filter((output) => output.dtype);
  return runModel({ ...model, graph: { ...model.graph, outputs } }, feeds, { optimization: 'disabled' });
};

/** Float32 rounding of reordered sums; half floats where a model has them. */
const toleranceOf = (model: Model): number =>
  model.graph.inputs.some((input) => input.dtype === 'float16') ? 2e-3 : 2e-6;

/** Applies a pass under its contract: unchanged input, idempotent, equal results. */
async function proved<O extends object>(
  pass: Pass<O>,
  model: Model,
  options: O,
  feeds: Parameters<typeof runModel>[1],
): Promise<Model> {
  const before = encodeModel(model);
  const result = applyPass(pass, model, options);
  assert.ok(Buffer.compare(before, encodeModel(model)) === 0, `${pass.name} changed its input`);
  assert.equal(applyPass(pass, result, options), result, `${pass.name} is not idempotent`);
  if (result !== model) {
    const [now, then] = [await run(result, feeds), await run(model, feeds)];
    const kept = Object.fromEntries(Object.entries(then).filter(([name]) => name in now));
    assertClose(now, kept, toleranceOf(model), pass.name);
  }
  return result;
}

test('passes have real models to work on', { skip }, () => assert.ok(models.length > 20));

for (const model of models) {
  test(`the passes to a training graph keep what ${model.name} computes`, async () => {
    const original = model.load();
    const { feeds, shapes } = feedsFor(original, 2);
    let now = await proved(foldShapes, original, { shapes, noops: true }, feeds);
    now = await proved(lowerSequences, now, {}, feeds);
    now = await proved(toOpset18, now, {}, feeds);
    now = await proved(untieInitializers, now, {}, feeds);
    now = await proved(foldShapes, now, { noops: true }, feeds);
    now = await proved(prune, now, {}, feeds);
    assert.equal(now.opsets[''], 18);
    const ops = new Set(now.graph.nodes.map((node) => node.op));
    for (const op of ['Constant', 'CastLike', 'SequenceAt', 'Shape', 'If']) {
      assert.ok(!ops.has(op), `${op} is left`);
    }
    // A training BatchNormalization gives other numbers at inference; then only the pass's promise is checked.
    const trains = now.graph.nodes.some(
      (node) => node.op === 'BatchNormalization' && node.outputs.length > 1,
    );
    now = trains ? applyPass(inferenceMode, now, {}) : await proved(inferenceMode, now, {}, feeds);
    await proved(foldBatchNorm, now, {}, feeds);
  });
}

for (const model of models.filter((entry) => entry.kind === 'teacher')) {
  test(`${model.name} split into prefix, body and suffix joins again`, async (t) => {
    const original = model.load();
    const tap = tapLogits(original);
    if (!tap) return t.skip('no class scores');
    const { prefix, body, suffix, independent } = splitFrozen(original, tap.tensor);
    let joined = body;
    if (prefix) {
      const same = prefix.graph.outputs.map((output) => [output.name, output.name]);
      joined = joinModels(prefix, joined, { connect: Object.fromEntries(same) });
    }
    if (suffix) joined = joinModels(joined, suffix, { connect: { [tap.tensor]: tap.tensor } });
    const { feeds } = feedsFor(original, 2);
    const expected = Object.entries(await run(original, feeds)).filter(
      ([name]) => !independent.includes(name),
    );
    assertClose(await run(joined, feeds), Object.fromEntries(expected), 0, model.name);
  });

  test(`${model.name} gives every row of a batch what it gives the row alone`, async () => {
    const original = model.load();
    const symbolic = applyPass(setBatch, original, { batch: 'N' });
    assert.equal(applyPass(setBatch, symbolic, { batch: 'N' }), symbolic);
    const fixed = applyPass(setBatch, original, { batch: 3 });
    const { feeds } = feedsFor(symbolic, 3);
    const all = await run(symbolic, feeds);
    assertClose(await run(fixed, feeds), all, 0, 'a fixed batch of three');
    const alone = applyPass(setBatch, original, { batch: 1 });
    for (let row = 0; row < 3; row++) {
      const one = Object.fromEntries(
        Object.entries(feeds).map(([name, value]) => {
          const axis = symbolic.graph.inputs.find((input) => input.name === name)!.shape!.indexOf('N');
          return [name, axis < 0 ? value : rowOf(value, axis, row)];
        }),
      );
      const single = await run(alone, one);
      const same = Object.fromEntries(
        Object.entries(all).map(([name, value]) => {
          const axis = value.dims.findIndex((dim, at) => dim !== single[name]!.dims[at]);
          return [name, rowOf(value, axis, row)];
        }),
      );
      assertClose(single, same, toleranceOf(original) * 5, `row ${row}`);
    }
  });
}

type Value = Parameters<typeof runModel>[1][string];

/** One row of an array along an axis, kept as an axis of one. */
function rowOf(value: Value, axis: number, row: number): Value {
  const inner = value.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const rows = value.dims[axis]!;
  const outer = value.dims.slice(0, axis).reduce((a, b) => a * b, 1);
  const data = value.data as Float32Array;
  const out = data.slice(0, outer * inner);
  for (let o = 0; o < outer; o++) {
    out.set(data.subarray((o * rows + row) * inner, (o * rows + row + 1) * inner), o * inner);
  }
  return { ...value, dims: value.dims.map((dim, i) => (i === axis ? 1 : dim)), data: out };
}
