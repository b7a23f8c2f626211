import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import { indexedTable } from '../../../src/core/onnx/indexed-table.ts';
import { inferShapes } from '../../../src/core/onnx/infer-shapes.ts';
import { tensor } from '../../../src/core/onnx/tensor.ts';

const table = (b: GraphBuilder, name: string, dims: readonly number[]): string =>
  b.initializer(name, tensor('float32', dims, new Float32Array(dims.reduce((all, dim) => all * dim, 1))));

/** What is found for `ids` of a graph that makes its output of them. */
function found(make: (b: GraphBuilder, ids: string) => string) {
  const b = new GraphBuilder();
  b.output(make(b, b.input('ids', 'int64', ['N', 6])));
  const model = b.model('ids');
  return indexedTable(model.graph, inferShapes(model).types, 'ids');
}

test('the smallest table that all numbers of an input pick from, through changes of type and shape', () => {
  const words = found((b, ids) => {
    const cast = b.op('Cast', [b.op('Reshape', [ids, b.ints([-1, 2, 3])])], { to: 6 });
    const wide = b.op('Gather', [table(b, 'wide', [40, 4]), ids]);
    return b.op(
      'Concat',
      [wide, b.op('Reshape', [b.op('Gather', [table(b, 'words', [9, 4]), cast]), b.ints([0, 6, 4])])],
      { axis: 2 },
    );
  });
  assert.deepEqual(words, { name: 'words', rows: 9 });
  // A table made of another counts by what it is, along the axis that is picked.
  const turned = found((b, ids) => b.op('Gather', [table(b, 'turned', [4, 9]), ids], { axis: 1 }));
  assert.deepEqual(turned, { name: 'turned', rows: 9 });
});

test('no table where numbers are computed with, cut apart, or looked into', () => {
  for (const make of [
    (b, ids) => b.op('Gather', [table(b, 'words', [9, 4]), b.op('Mod', [ids, b.constant(9, 'int64')])]),
    (b, ids) =>
      b.op('Gather', [
        table(b, 'words', [9, 4]),
        b.op('Slice', [ids, b.ints([0]), b.ints([1]), b.ints([1])]),
      ]),
    (b, ids) => b.op('Gather', [ids, b.constant(2, 'int64')], { axis: 1 }),
  ] satisfies ((b: GraphBuilder, ids: string) => string)[]) {
    assert.equal(found(make), undefined);
  }
});
