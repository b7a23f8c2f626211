import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isNative, loadBackend } from '../../src/adapters/kernels/tfjs/backend.ts';
import { GraphFunction } from '../../src/adapters/kernels/tfjs/graph/graph-function.ts';
import { Interpreter } from '../../src/adapters/kernels/tfjs/interpreter.ts';
import { operators } from '../../src/adapters/kernels/tfjs/operators/index.ts';
import { toTf } from '../../src/adapters/kernels/tfjs/values.ts';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import { compositions } from '../../src/core/autodiff/compositions/index.ts';
import type { GradientRule, RuleSample, SampleInput } from '../../src/core/autodiff/rule.ts';
import { rules } from '../../src/core/autodiff/rules/index.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import { float } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import { runModel } from '../support/run-model.ts';
import { relativeError } from '../support/training.ts';

/**
 * Every operator of the tfjs kernel against onnxruntime (values) and against our rules run by onnxruntime (gradients
 * off tfjs's tape), on the samples the rules carry.
 */

before(() => loadBackend());

const FLOAT64 = 11;

const isRule = (entry: unknown): entry is GradientRule => !('stop' in (entry as object));

interface Case {
  readonly b: GraphBuilder;
  readonly outputs: readonly string[];
  readonly feeds: Readonly<Record<string, NDArray>>;
  /** Inputs to differentiate by. */
  readonly wrt: readonly string[];
}

/** A graph of the one node, its float inputs fed, its other inputs constants. */
function caseOf(op: string, sample: RuleSample): Case {
  const b = new GraphBuilder();
  const feeds: Record<string, NDArray> = {};
  const wrt: string[] = [];
  const inputs = sample.inputs.map((input, i) => {
    if (input === 'omitted') return '';
    if ('constant' in input) {
      const dims = input.shape ?? [input.constant.length];
      return b.initializer(`c${i}`, tensor(input.dtype ?? 'float32', dims, input.constant));
    }
    const name = b.input(`x${i}`, 'float32', input.shape);
    feeds[name] = { dtype: 'float32', dims: input.shape, data: drawn(input, i) };
    wrt.push(name);
    return name;
  });
  const outputs = b.ops(op, inputs, { ...sample.attributes }, { outputs: sample.outputs ?? 1 });
  b.output(...outputs);
  return { b, outputs, feeds, wrt };
}

function drawn(input: Extract<SampleInput, { range?: unknown } | { away?: unknown }>, stream: number) {
  if (typeof input === 'string' || !('shape' in input) || 'constant' in input) throw new Error('not drawn');
  const random = new Random(11, 'sample', stream);
  const [low, high] = input.range ?? [-2, 2];
  return Float32Array.from({ length: sizeOf(input.shape!) }, () => {
    for (;;) {
      const value = low + (high - low) * random.uniform();
      if (!(input.away ?? []).some((kink) => Math.abs(value - kink) < 0.02)) return value;
    }
  });
}

const near = (seen: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string) => {
  assert.equal(seen.length, wanted.length, what);
  const error = relativeError(seen, wanted);
  assert.ok(error <= tolerance, `${what}: relative error ${error}`);
};

const floats = (value: NDArray): Float32Array => Float32Array.from(value.data as ArrayLike<number>, Number);

async function compare(op: string, sample: RuleSample): Promise<void> {
  const made = caseOf(op, sample);
  const interpreter = new Interpreter(made.b.build());
  const wanted = await runModel(made.b.model(), made.feeds);
  const rule = rules.get(op);
  const differentiable = made.outputs.filter((name) => made.b.dtype(name) === 'float32');
  const active = made.wrt.filter(
    (name) =>
      rule &&
      isRule(rule) &&
      differentiable.length > 0 &&
      (rule.differentiable === 'all' || rule.differentiable.includes(Number(name.slice(1)))),
  );
  const weights = new Map(
    differentiable.map((name): [string, NDArray] => {
      const dims = made.b.dims(name);
      const random = new Random(12, name);
      const data = Float32Array.from({ length: sizeOf(dims) }, () => random.normal());
      return [name, { dtype: 'float32', dims, data }];
    }),
  );
  const ours = active.length > 0 ? await gradientsByRules(made, active, weights) : new Map();

  const { values, gradients, obstacle } = inTfjs(interpreter, made, active, weights);
  assert.equal(obstacle, undefined);
  for (const name of made.outputs) {
    assert.deepEqual(values.get(name)!.shape, [...wanted[name]!.dims], `dims of ${name}`);
    near(values.get(name)!.dataSync(), floats(wanted[name]!), 1e-5, name);
  }
  for (const name of active) {
    near(gradients.get(name)!.dataSync(), ours.get(name)!, 2e-5, `gradient of ${name}`);
  }
}

/** Gradients of sum <output, weight> by our rules, run by onnxruntime. */
async function gradientsByRules(
  { b, feeds }: Case,
  wrt: readonly string[],
  weights: ReadonlyMap<string, NDArray>,
): Promise<ReadonlyMap<string, Float32Array>> {
  const cotangents = new Map(
    [...weights].map(([name, { dims }]) => [name, b.input(`d_${name}`, 'float32', dims)]),
  );
  const gradients = appendGradients(b, { outputs: cotangents, wrt, target: 'ort-cpu' });
  const outputs = wrt.map((name) => b.op('Identity', [gradients.get(name)!]));
  b.output(...outputs);
  const fed = Object.fromEntries([...weights].map(([name, value]) => [cotangents.get(name)!, value]));
  const made = await runModel(b.model(), { ...feeds, ...fed });
  return new Map(wrt.map((name, i) => [name, floats(made[outputs[i]!]!)]));
}

/** Outputs, and gradients of sum <output, weight>, in tfjs: on libtensorflow as one graph, as in a training step. */
function inTfjs(
  interpreter: Interpreter,
  { feeds }: Case,
  wrt: readonly string[],
  weights: ReadonlyMap<string, NDArray>,
) {
  const compute = (fed: ReadonlyMap<string, tf.Tensor>): Map<string, tf.Tensor> => {
    const made = interpreter.run(fed);
    if (wrt.length === 0) return made;
    const { grads } = tf.engine().gradients(
      () => {
        const values = interpreter.run(fed);
        return tf.addN(
          [...weights].map(([name, weight]) => tf.sum(tf.mul(values.get(name)!, toTf(weight, name)))),
        );
      },
      wrt.map((name) => fed.get(name)!),
      undefined,
      true,
    );
    const gradients = wrt.map((name, i): [string, tf.Tensor] => {
      const gradient: tf.Tensor | undefined = grads[i];
      return [`gradient ${name}`, gradient ?? tf.zerosLike(fed.get(name)!)];
    });
    return new Map([...made, ...gradients]);
  };
  const fed = new Map(Object.entries(feeds).map(([name, value]) => [name, toTf(value, name)]));
  const graph = new GraphFunction(compute);
  const values = isNative() ? graph.run(fed) : compute(fed);
  graph.dispose();
  const gradients = new Map(wrt.map((name) => [name, values.get(`gradient ${name}`)!]));
  return { values, gradients, obstacle: graph.obstacle };
}

for (const [op, rule] of rules) {
  if (!isRule(rule) || !(operators.has(op) || compositions.has(op))) continue;
  for (const sample of rule.samples) {
    test(`${op}, ${sample.name}`, async () => {
      const compared = compare(op, sample);
      if (op === 'Cast' && sample.attributes?.to === FLOAT64) {
        await assert.rejects(compared, {
          code: 'TRAIN_UNSUPPORTED',
          message: /float64, which tfjs does not have/,
        });
      } else {
        await compared;
      }
    });
  }
}

/** Operators without a gradient, or without samples of their own, and cases beyond the samples. */
const x: SampleInput = { shape: [2, 3, 4], away: [0] };
const y: SampleInput = { shape: [3, 1], away: [0] };
const truths: SampleInput = { constant: [1, 0, 1, 1, 0, 0], shape: [2, 3], dtype: 'bool' };
const more: SampleInput = { constant: [1, 1, 0], shape: [3], dtype: 'bool' };
const ints: SampleInput = { constant: [7, -7, 9, -9, 5, 0], shape: [2, 3], dtype: 'int64' };
const divisors: SampleInput = { constant: [2, 2, -4], shape: [3], dtype: 'int64' };
const more3 = { shape: [1, 2, 5, 6] };
const extra: Readonly<Record<string, readonly Omit<RuleSample, 'name'>[]>> = {
  And: [{ inputs: [truths, more] }],
  ArgMax: [
    { inputs: [x], attributes: { axis: 1 } },
    { inputs: [x], attributes: { axis: -1, keepdims: 0 } },
    { inputs: [{ constant: [1, 3, 3, 2], shape: [1, 4] }], attributes: { axis: 1, select_last_index: 1 } },
    { inputs: [{ constant: [1, 3, 3, 2], shape: [1, 4] }], attributes: { axis: 1 } },
  ],
  ArgMin: [{ inputs: [x], attributes: { axis: 1 } }],
  AveragePool: [
    { inputs: [more3], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 2] } },
    {
      inputs: [more3],
      attributes: { kernel_shape: [2, 3], strides: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 1 },
    },
    { inputs: [more3], attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  ],
  BatchNormalization: [
    {
      inputs: [more3, { shape: [2] }, { shape: [2] }, { shape: [2] }, { shape: [2], range: [0.5, 2] }],
      attributes: { epsilon: float(0.01) },
    },
  ],
  Cast: [
    { inputs: [x], attributes: { to: 7 } },
    { inputs: [x], attributes: { to: 9 } },
    { inputs: [ints], attributes: { to: 1 } },
  ],
  Ceil: [{ inputs: [x] }],
  Conv: [
    {
      inputs: [more3, { shape: [4, 1, 3, 2] }, { shape: [4] }],
      attributes: { group: 2, strides: [2, 1], pads: [1, 0, 2, 1] },
    },
    { inputs: [more3, { shape: [3, 2, 2, 2] }], attributes: { strides: [2, 3], auto_pad: 'SAME_LOWER' } },
    { inputs: [more3, { shape: [3, 2, 2, 2] }], attributes: { dilations: [2, 3], pads: [0, 1, 1, 2] } },
    { inputs: [{ shape: [2, 3, 7] }, { shape: [4, 3, 3] }], attributes: { strides: [2], pads: [1, 0] } },
    {
      inputs: [{ shape: [1, 2, 3, 4, 3] }, { shape: [2, 2, 2, 2, 2] }],
      attributes: { pads: [1, 0, 0, 0, 1, 1] },
    },
  ],
  ConvTranspose: [
    {
      inputs: [more3, { shape: [2, 3, 3, 2] }, { shape: [3] }],
      attributes: { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 0] },
    },
    { inputs: [more3, { shape: [2, 2, 2, 2] }], attributes: { group: 2, dilations: [2, 1] } },
  ],
  ConstantOfShape: [
    { inputs: [{ constant: [2, 3], dtype: 'int64' }] },
    {
      inputs: [{ constant: [2], dtype: 'int64' }],
      attributes: { value: { type: 'tensor', value: tensor('int64', [1], [7]) } },
    },
  ],
  Div: [{ inputs: [ints, divisors] }],
  EyeLike: [
    { inputs: [{ shape: [3, 4] }] },
    { inputs: [{ shape: [3, 4] }], attributes: { k: -1, dtype: 7 } },
  ],
  Equal: [{ inputs: [ints, divisors] }],
  Floor: [{ inputs: [x] }],
  Gemm: [
    { inputs: [{ shape: [3, 4] }, { shape: [4, 2] }, { shape: [2] }] },
    { inputs: [{ shape: [3, 4] }, { shape: [4, 2] }] },
    {
      inputs: [{ shape: [4, 3] }, { shape: [2, 4] }, { shape: [3, 1] }],
      attributes: { transA: 1, transB: 1, alpha: float(0.5), beta: float(2) },
    },
  ],
  GlobalAveragePool: [{ inputs: [more3] }, { inputs: [{ shape: [2, 3, 4] }] }],
  Greater: [{ inputs: [x, y] }],
  GreaterOrEqual: [{ inputs: [ints, divisors] }],
  IsInf: [
    { inputs: [{ constant: [1, Infinity, -Infinity, Number.NaN] }] },
    { inputs: [{ constant: [1, Infinity, -Infinity] }], attributes: { detect_negative: 0 } },
    { inputs: [{ constant: [1, Infinity, -Infinity] }], attributes: { detect_positive: 0 } },
  ],
  IsNaN: [{ inputs: [{ constant: [1, Infinity, Number.NaN] }] }],
  Less: [{ inputs: [x, y] }],
  LessOrEqual: [{ inputs: [ints, divisors] }],
  MatMul: [
    { inputs: [{ shape: [4] }, { shape: [4] }] },
    { inputs: [{ shape: [2, 3, 4] }, { shape: [4] }] },
    { inputs: [{ shape: [4] }, { shape: [2, 4, 3] }] },
    { inputs: [{ shape: [2, 1, 3, 4] }, { shape: [5, 4, 2] }] },
    { inputs: [{ shape: [3, 4] }, { shape: [5, 4, 2] }] },
  ],
  MaxPool: [
    { inputs: [more3], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 2] } },
    {
      inputs: [more3],
      attributes: { kernel_shape: [2, 2], dilations: [2, 2], ceil_mode: 1, strides: [2, 2] },
    },
    { inputs: [{ shape: [1, 2, 3, 4, 3] }], attributes: { kernel_shape: [2, 2, 2] } },
    {
      inputs: [{ shape: [2, 3, 9] }],
      attributes: { kernel_shape: [3], dilations: [2], pads: [2, 1], strides: [2] },
    },
    {
      inputs: [{ shape: [1, 2, 5, 6, 4] }],
      attributes: { kernel_shape: [2, 3, 2], dilations: [2, 1, 3], pads: [1, 0, 0, 0, 2, 1] },
    },
    // Of equals the first takes the gradient.
    {
      inputs: [{ shape: [1, 2, 5, 5], range: [1, 1] }],
      attributes: { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 1] },
    },
  ],
  Mod: [{ inputs: [ints, divisors] }, { inputs: [ints, divisors], attributes: { fmod: 1 } }],
  Not: [{ inputs: [truths] }],
  MeanVarianceNormalization: [{ inputs: [more3] }, { inputs: [more3], attributes: { axes: [1, 2] } }],
  OneHot: [
    {
      inputs: [
        { constant: [2, 0, -1, 5], shape: [2, 2], dtype: 'int64' },
        { constant: [3], shape: [], dtype: 'int64' },
        { constant: [0.5, 2] },
      ],
    },
    {
      inputs: [
        { constant: [1, 0], dtype: 'int64' },
        { constant: [3], shape: [], dtype: 'int64' },
        { constant: [0, 1] },
      ],
      attributes: { axis: 0 },
    },
  ],
  Or: [{ inputs: [truths, more] }],
  Range: [
    { inputs: [1, 6, 2].map((n) => ({ constant: [n], shape: [], dtype: 'int64' })) },
    { inputs: [5, 1, -1.5].map((n) => ({ constant: [n], shape: [] })) },
  ],
  Round: [{ inputs: [{ constant: [-1.5, -0.5, 0.5, 1.5, 2.5, 0.3] }] }],
  Shape: [{ inputs: [x] }, { inputs: [x], attributes: { start: 1, end: -1 } }],
  Shrink: [{ inputs: [x], attributes: { lambd: float(0.7), bias: float(0.2) } }],
  Size: [{ inputs: [x] }],
  Sign: [{ inputs: [{ constant: [-2, 0, 3] }] }],
  Xor: [{ inputs: [truths, more] }],
};

for (const [op, samples] of Object.entries(extra)) {
  samples.forEach((sample, i) => {
    test(`${op}, case ${i + 1} of its own`, () => compare(op, { ...sample, name: `${i}` }));
  });
}

test('every operator of the tfjs kernel is compared with onnxruntime', () => {
  const compared = (op: string) => {
    const rule = rules.get(op);
    return op in extra || (rule !== undefined && isRule(rule) && rule.samples.length > 0);
  };
  assert.deepEqual(
    [...operators.keys()].filter((op) => !compared(op)),
    [],
  );
});
