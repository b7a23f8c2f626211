import assert from 'node:assert/strict';
import test from 'node:test';
import { intAttribute, intsAttribute } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { DType } from '../../src/core/onnx/dtype.ts';
import type { Graph } from '../../src/core/onnx/model.ts';
import { fuseTransposes } from '../../src/core/program/fuse-transposes.ts';

type Factors = readonly [string, string];

/** A product of what `build` makes of two inputs. */
function product(
  build: (b: GraphBuilder, x: string, y: string) => Factors,
  [x, y]: readonly [readonly number[], readonly number[]],
  dtype: DType = 'float32',
): Graph {
  const b = new GraphBuilder();
  b.output(b.op('MatMul', build(b, b.input('x', dtype, x), b.input('y', dtype, y))));
  return fuseTransposes(b.build());
}

const swapped = (b: GraphBuilder, value: string, perm: readonly number[]) =>
  b.op('Transpose', [value], { perm });

test('a batch of matrices that was transposed for a product is read transposed', () => {
  const both = product(
    (b, x, y) => [swapped(b, x, [0, 2, 1]), swapped(b, y, [0, 2, 1])],
    [
      [2, 4, 3],
      [2, 5, 4],
    ],
  );
  assert.deepEqual(
    both.nodes.map(({ op, domain, inputs }) => [op, domain, inputs]),
    [['FusedMatMul', 'com.microsoft', ['x', 'y']]],
  );
  const flags = ['transA', 'transB'].map((flag) => intAttribute(both.nodes[0]!, flag, 0));
  assert.deepEqual(flags, [1, 1]);
  assert.deepEqual(both.outputs[0]!.shape, [2, 3, 5]);
});

test('keys of attention are read from where their rows lie together, by the Transpose that is there already', () => {
  const b = new GraphBuilder();
  const [q, k] = ['q', 'k'].map((name) => b.input(name, 'float32', [2, 6, 4, 3])) as [string, string];
  const rows = swapped(b, k, [0, 2, 1, 3]);
  const scores = b.op('MatMul', [swapped(b, q, [0, 2, 1, 3]), swapped(b, k, [0, 2, 3, 1])]);
  b.output(b.op('MatMul', [scores, rows]));
  const { nodes } = fuseTransposes(b.build());
  const perms = nodes.filter(({ op }) => op === 'Transpose').map((node) => intsAttribute(node, 'perm'));
  assert.deepEqual(perms, [
    [0, 2, 1, 3],
    [0, 2, 1, 3],
  ]);
  const first = nodes.find(({ op }) => op === 'FusedMatMul')!;
  assert.equal(first.inputs[1], rows);
  assert.equal(nodes.at(-1)!.op, 'MatMul');
});

test('other products stay: matrices, other element types, ranks that differ, a Transpose that moves rows', () => {
  const stays = [
    product(
      (b, x, y) => [x, swapped(b, y, [1, 0])],
      [
        [3, 4],
        [5, 4],
      ],
    ),
    product(
      (b, x, y) => [x, swapped(b, y, [0, 2, 1])],
      [
        [2, 3, 4],
        [2, 5, 4],
      ],
      'float64',
    ),
    product(
      (b, x, y) => [swapped(b, x, [0, 2, 1]), y],
      [
        [2, 4, 3],
        [4, 5],
      ],
    ),
    product(
      (b, x, y) => [swapped(b, x, [1, 0, 2]), y],
      [
        [3, 2, 4],
        [2, 4, 5],
      ],
    ),
  ];
  for (const { nodes } of stays) assert.deepEqual(nodes.map(({ op }) => op).sort(), ['MatMul', 'Transpose']);
});
