import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isNative, loadBackend, nativeObstacle } from '../../src/adapters/kernels/tfjs/backend.ts';
import { GraphFunction } from '../../src/adapters/kernels/tfjs/graph/graph-function.ts';
import { executeAll } from '../../src/adapters/kernels/tfjs/native/execute.ts';

const absent = await nativeObstacle(2);
type Tensors = ReadonlyMap<string, tf.Tensor>;

describe('a function recorded as a graph', { skip: absent ?? false }, () => {
  before(() => loadBackend(2));

  const inputs = (x: number[], rate: number): Map<string, tf.Tensor> =>
    new Map<string, tf.Tensor>([
      ['x', tf.tensor2d(x, [2, 2])],
      ['rate', tf.scalar(rate)],
    ]);
  const call = (graph: GraphFunction, x: number[], rate: number): Record<string, number[]> =>
    tf.tidy(() =>
      Object.fromEntries(
        [...graph.run(inputs(x, rate))].map(([name, value]) => [name, Array.from(value.dataSync())]),
      ),
    ) as unknown as Record<string, number[]>;

  it('computes anew from what each call is given, with constants, shapes and what is passed through', () => {
    assert.ok(isNative());
    let calls = 0;
    const kept = tf.keep(tf.tensor1d([10, 20]));
    const graph = new GraphFunction((given: Tensors) => {
      calls++;
      const x = given.get('x')!;
      const product = tf.mul(tf.matMul(x, tf.transpose(x)), given.get('rate')!);
      return new Map<string, tf.Tensor>([
        ['sums', tf.add(tf.sum(product, 1), kept)],
        ['flat', tf.reshape(product, [4])],
        ['same', x],
      ]);
    });
    for (const [x, rate] of [
      [[1, 2, 3, 4], 1],
      [[0, 1, 1, 0], 2],
    ] as const) {
      const [a, b, c, d] = x;
      const flat = [a * a + b * b, a * c + b * d, a * c + b * d, c * c + d * d].map((v) => v * rate);
      const made = call(graph, [...x], rate);
      assert.deepEqual(made.flat, flat);
      assert.deepEqual(made.sums, [flat[0]! + flat[1]! + 10, flat[2]! + flat[3]! + 20]);
      assert.deepEqual(made.same, [...x]);
    }
    assert.equal(calls, 1);
    assert.equal(graph.obstacle, undefined);
    graph.dispose();
    kept.dispose();
  });

  it('gathers by indices that are other ones in every call, and refuses those out of range', () => {
    const graph = new GraphFunction((given) => {
      const at = tf.cast(given.get('x')!, 'int32');
      return new Map([['y', tf.gather(tf.tensor1d([10, 20, 30]), at)]]);
    });
    assert.deepEqual(call(graph, [0, 1, 2, 0], 1).y, [10, 20, 30, 10]);
    assert.deepEqual(call(graph, [2, 2, 1, 1], 1).y, [30, 30, 20, 20]);
    assert.throws(() => call(graph, [0, 3, 0, 0], 1), {
      code: 'RUNTIME_FAILED',
      message: /^libtensorflow: .*3 is not in \[0, 3\)$/,
    });
    assert.equal(graph.obstacle, undefined);
    graph.dispose();
  });

  it('goes on op by op, and says why, where the host reads values on the way', () => {
    const graph = new GraphFunction((given) => {
      const [largest] = tf.max(given.get('x')!).dataSync();
      return new Map([['twice', tf.scalar(2 * largest!)]]);
    });
    assert.deepEqual(call(graph, [1, 2, 3, 4], 1).twice, [8]);
    assert.deepEqual(call(graph, [1, 2, 3, 7], 1).twice, [14]);
    assert.match(graph.obstacle!, /are read on the way/);
    graph.dispose();
  });

  it('goes on op by op, and says why, where libtensorflow refuses the graph', () => {
    // Op by op the type attribute U is taken from the inputs.
    const graph = new GraphFunction((given) => {
      const [one, zero] = [tf.ones([1]), tf.zeros([1])];
      const x = tf.reshape(given.get('x')!, [1, 2, 2, 1]);
      const attributes = { epsilon: { float: 0.001 }, is_training: false };
      return new Map([['y', executeAll('FusedBatchNormV3', [x, one, zero, zero, one], attributes, 6)[0]!]]);
    });
    assert.equal(call(graph, [1, 2, 3, 4], 1).y!.length, 4);
    assert.match(graph.obstacle!, /No attr named 'U'/);
    graph.dispose();
  });

  it('goes on op by op, and says why, where the graph would be too large', () => {
    const doubled = (times: number, most: number): string | undefined => {
      const compute = (given: Tensors) => {
        let y = given.get('x')!;
        for (let i = 0; i < times; i++) y = tf.add(y, y);
        return new Map([['y', y]]);
      };
      const graph = new GraphFunction(compute, most);
      for (const x of [1, 3]) assert.deepEqual(call(graph, [x, 0, 0, 0], 1).y, [x * 2 ** times, 0, 0, 0]);
      graph.dispose();
      return graph.obstacle;
    };
    // Two inputs, the sums, one output.
    assert.equal(doubled(7, 10), undefined);
    assert.equal(doubled(8, 10), 'its graph has more than 10 nodes');
  });

  it('leaks no tensor', () => {
    const graph = new GraphFunction((given) => new Map([['y', tf.relu(given.get('x')!)]]));
    call(graph, [1, -2, 3, 4], 1);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) call(graph, [1, -2, 3, i], 1);
    assert.equal(tf.memory().numTensors, before);
    graph.dispose();
  });
});
