import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pooled } from '../../src/core/losses/feature-shapes.ts';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { pairLayers } from '../../src/core/losses/pair-layers.ts';
import { centredGram, linearCka } from '../../src/core/metrics/linear-cka.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { inferShapes } from '../../src/core/onnx/infer-shapes.ts';
import { type LayerEnd, layerEnds } from '../../src/core/onnx/layer-ends.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { alignFeatures } from '../../src/core/program/align-features.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import { Random } from '../../src/core/random.ts';

/** What `auto` stands on: where layers end, how alike two are, which belong together. */

const ROWS = 12;
const features = (size: number, stream: string): Float32Array => {
  const random = new Random(3, stream);
  return Float32Array.from({ length: ROWS * size }, () => random.normal());
};
const columns = (x: Float32Array, size: number): number[][] =>
  Array.from({ length: size }, (_, c) => Array.from({ length: ROWS }, (_, i) => x[i * size + c]!));
const likeness = (x: Float32Array, y: Float32Array): number =>
  linearCka(centredGram(x, ROWS), centredGram(y, ROWS));

/** |Y^T X|^2 / (|X^T X| |Y^T Y|) over centred columns: the same number from the other side of the matrices. */
function fromColumns(x: number[][], y: number[][]): number {
  const centred = (column: number[]) => {
    const mean = column.reduce((sum, v) => sum + v, 0) / ROWS;
    return column.map((v) => v - mean);
  };
  const square = (a: number[][], b: number[][]): number =>
    a.reduce(
      (sum, p) => sum + b.reduce((inner, q) => inner + p.reduce((dot, v, i) => dot + v * q[i]!, 0) ** 2, 0),
      0,
    );
  const [a, b] = [x.map(centred), y.map(centred)];
  return square(a, b) / Math.sqrt(square(a, a) * square(b, b));
}

test('linear CKA is the squared covariance of the features over those of each side', () => {
  const [x, y] = [features(7, 'x'), features(4, 'y')];
  const mixed = x.map((value, i) => value + 0.5 * y[Math.floor(i / 7) * 4]!);
  for (const [a, b] of [
    [x, y],
    [x, mixed],
  ] as const) {
    const expected = fromColumns(columns(a, a.length / ROWS), columns(b, b.length / ROWS));
    assert.ok(Math.abs(likeness(a, b) - expected) < 1e-9, `${likeness(a, b)} against ${expected}`);
  }
  assert.ok(likeness(x, mixed) > likeness(x, y));
});

test('linear CKA sees neither shift nor scale nor rotation, is 1 for the same, and 0 beside a constant', () => {
  const x = features(2, 'x');
  const turned = x.map((_, i) => {
    const [a, b] = [x[2 * Math.floor(i / 2)]!, x[2 * Math.floor(i / 2) + 1]!];
    return 3 + 5 * (i % 2 === 0 ? 0.6 * a - 0.8 * b : 0.8 * a + 0.6 * b);
  });
  assert.ok(Math.abs(likeness(x, turned) - 1) < 1e-5);
  assert.equal(likeness(x, new Float32Array(ROWS)), 0);
});

function endsOf(b: GraphBuilder, rows: number): LayerEnd[] {
  const model = b.model();
  const shapes = Object.fromEntries(
    model.graph.inputs.map(({ name, shape }) => [name, [rows, ...(shape!.slice(1) as number[])]]),
  );
  return layerEnds(model, 'scores', inferShapes(model, { shapes }).types, rows);
}

const weights = (b: GraphBuilder, name: string, dims: readonly number[]): string =>
  b.initializer(name, tensor('float32', dims, new Float32Array(dims.reduce((x, y) => x * y, 1))));

test('layers of maps end before their size changes: at the joint of a block, not at its gate nor inside it', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 2, 8, 8]);
  const conv = (from: string, name: string, into: number, stride = 1): string =>
    b.op('Conv', [from, weights(b, `${name}.w`, [4, into, 1, 1])], {
      kernel_shape: [1, 1],
      strides: [stride, stride],
    });
  const named = (op: string, inputs: string[], name: string) => b.op(op, inputs, {}, { outputs: [name] });
  const first = named('Relu', [conv(x, 'a', 2)], 'first');
  const gate = named('Relu', [b.op('GlobalAveragePool', [first])], 'gate');
  const inside = named('Relu', [conv(named('Mul', [first, gate], 'gated'), 'c', 4)], 'inside');
  const joint = named('Relu', [named('Add', [inside, first], 'sum')], 'joint');
  const small = named('Relu', [conv(joint, 'd', 4, 2)], 'small');
  const vector = named('Tanh', [b.op('Flatten', [small])], 'vector');
  named('MatMul', [vector, weights(b, 'head', [64, 3])], 'scores');
  named('Relu', [first], 'aside');
  b.output('scores', 'aside');
  const ends = endsOf(b, 2);
  assert.deepEqual(
    ends.map(({ name, dims }) => [name, dims]),
    [
      ['joint', [4, 8, 8]],
      ['small', [4, 4, 4]],
      ['vector', [64]],
    ],
  );
  assert.ok(ends.every(({ depth }, i) => depth > (ends[i - 1]?.depth ?? 0) && depth <= 1));
});

test('layers of sequences end at residual sums and normalisations, not in the heads of attention', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 3, 8]);
  const rows = 2;
  const heads = (name: string): string => {
    const y = b.op('MatMul', [x, weights(b, name, [8, 8])]);
    return b.op('Transpose', [b.op('Reshape', [y, b.ints([rows, 3, 2, 4])])], { perm: [0, 2, 1, 3] });
  };
  const scaled = (y: string): string => b.op('Mul', [y, b.op('Sqrt', [b.op('Abs', [y])])]);
  const scores = b.op('MatMul', [
    scaled(heads('q')),
    b.op('Transpose', [heads('k')], { perm: [0, 1, 3, 2] }),
  ]);
  const masked = b.op('Add', [scores, b.op('Abs', [scores])]);
  const mixed = b.op('MatMul', [b.op('Softmax', [masked], { axis: 3 }), heads('v')]);
  const back = b.op('Reshape', [b.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), b.ints([rows, 3, 8])]);
  const sum = b.op('Add', [x, back], {}, { outputs: ['sum'] });
  const norm = b.op(
    'LayerNormalization',
    [sum, weights(b, 's', [8]), weights(b, 'o', [8])],
    {},
    { outputs: ['norm'] },
  );
  b.op(
    'MatMul',
    [b.op('ReduceMean', [norm, b.ints([1])], { keepdims: 0 }), weights(b, 'head', [8, 3])],
    {},
    {
      outputs: ['scores'],
    },
  );
  b.output('scores');
  assert.deepEqual(
    endsOf(b, rows).map(({ name }) => name),
    ['sum', 'norm'],
  );
});

test('maps with one axis are no layers, and by name they are sequences: README says what to name instead', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 2, 8]);
  const named = (op: string, inputs: string[], attributes: object, name: string) =>
    b.op(op, inputs, { ...attributes }, { outputs: [name] });
  const map = named('Conv', [x, weights(b, 'w', [4, 2, 3])], { kernel_shape: [3] }, 'map');
  const sum = named('Add', [map, named('Relu', [map], {}, 'relu')], {}, 'sum');
  const vector = named('Relu', [b.op('ReduceMean', [sum, b.ints([2])], { keepdims: 0 })], {}, 'vector');
  named('MatMul', [vector, weights(b, 'head', [4, 3])], {}, 'scores');
  b.output('scores');
  assert.deepEqual(
    endsOf(b, 2).map(({ name }) => name),
    ['vector'],
  );
  const fixed = new GraphBuilder();
  assert.deepEqual(fixed.dims(pooled(fixed, fixed.input('map', 'float32', [2, 4, 6]))), [2, 6]);
});

const end = (name: string, depth: number, dims: readonly number[]): LayerEnd => ({ name, depth, dims });
const teachers = [
  end('t1', 0.2, [8, 16, 16]),
  end('t2', 0.45, [16, 8, 8]),
  end('t3', 0.6, [16, 8, 8]),
  end('t4', 0.95, [32, 4, 4]),
  end('tv', 0.98, [32]),
];
const students = [end('s1', 0.33, [4, 16, 16]), end('s2', 0.53, [4, 8, 8]), end('s3', 0.9, [6, 4, 4])];
const liking = (table: Record<string, number>) => (student: LayerEnd, teacher: LayerEnd) =>
  table[`${student.name} ${teacher.name}`] ?? 0;
const found = (auto: 'first' | 'middle' | 'last' | 'every', table: Record<string, number>, ranks = [4]) =>
  pairLayers(students, teachers, { align: 'positions', ranks, auto }, liking(table)).map(
    ({ student, teacher }) => `${student.name} ${teacher.name}`,
  );

test('of the teacher’s layers at like depth the most alike one is taken', () => {
  assert.deepEqual(found('every', { 's1 t2': 0.9, 's2 t3': 0.8, 's2 t2': 0.3 }), ['s1 t2', 's2 t3', 's3 t4']);
  assert.deepEqual(found('middle', { 's2 t3': 0.5 }), ['s2 t3']);
  assert.deepEqual(found('last', {}), ['s3 t4']);
  assert.deepEqual(found('first', { 's1 t2': 1 }), ['s1 t1']);
});

test('a layer far away is no counterpart, however alike', () => {
  assert.deepEqual(found('last', { 's3 t1': 1, 's3 t2': 1 }), ['s3 t4']);
});

test('pairs keep their order', () => {
  const table = { 's1 t2': 1, 's1 t3': 1, 's2 t2': 0.2, 's2 t3': 0.1 };
  assert.deepEqual(found('every', table), ['s1 t2', 's2 t2', 's3 t4']);
  const crossed = pairLayers(
    [end('s1', 0.5, [4, 8, 8]), end('s2', 0.52, [4, 8, 8])],
    [end('t1', 0.49, [4, 8, 8]), end('t2', 0.51, [4, 8, 8])],
    { align: 'positions', ranks: [4], auto: 'every' },
    liking({ 's1 t2': 1, 's2 t1': 1 }),
  );
  assert.deepEqual(
    crossed.map(({ teacher }) => teacher.name),
    ['t2', 't2'],
  );
});

test('auto pairs what names may pair, for every loss and every two kinds of layers', () => {
  const kinds = [[4, 8, 8], [4, 2, 2], [6, 4, 4], [16], [4], [7, 8], [9, 8], [7, 16]];
  const seen = new Set<string>();
  for (const [loss, { features }] of Object.entries(losses) as [string, Loss][]) {
    if (!features?.auto) continue;
    for (const ours of kinds) {
      for (const theirs of kinds) {
        const found = pairLayers([end('s', 0.5, ours)], [end('t', 0.5, theirs)], features, () => 1).length;
        const b = new GraphBuilder();
        const pair = {
          student: b.input('s', 'float32', [5, ...ours]),
          teacher: b.input('t', 'float32', [5, ...theirs]),
        };
        const align = () =>
          alignFeatures(b, pair, features, new CollectedParts(b, 0).of(loss), { loss, from: 't' });
        const title = `${loss}: [${ours}] beside [${theirs}]`;
        if (found === 1) assert.doesNotThrow(align, title);
        else assert.throws(align, { code: 'SPEC_INVALID' }, title);
        seen.add(`${features.align} ${found}`);
      }
    }
  }
  for (const align of ['shape', 'positions', 'none'] as const) assert.ok(seen.has(`${align} 1`), align);
  for (const align of ['shape', 'positions'] as const) assert.ok(seen.has(`${align} 0`), align);
});

test('a map is averaged beside a vector where no map is of like depth, or there is none', () => {
  const map = (name: string, depth: number) => end(name, depth, [16, 4, 4]);
  const vector = (name: string, depth: number) => end(name, depth, [32]);
  const taken = (teachers: readonly LayerEnd[], align: 'shape' | 'positions' | 'none' = 'shape') =>
    pairLayers(
      [map('s', 0.9)],
      teachers,
      { align, ranks: [2, 3, 4], auto: 'last' },
      (_, { dims }) => 1 / dims.length,
    ).map(({ teacher }) => teacher.name);
  assert.deepEqual(taken([map('far', 0.5), vector('v', 0.95)]), ['v']);
  assert.deepEqual(taken([vector('v', 0.4)]), ['v']);
  assert.deepEqual(taken([map('near', 0.8), vector('v', 0.95)]), ['near']);
  assert.deepEqual(taken([map('far', 0.5), vector('v', 0.6)]), ['far']);
  assert.deepEqual(taken([map('far', 0.5), vector('v', 0.95)], 'positions'), ['far']);
  // Nothing is averaged for a loss that takes layers as they are: there likeness decides.
  assert.deepEqual(taken([map('near', 0.8), vector('v', 0.95)], 'none'), ['v']);
});
