import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NDArray } from '../../src/core/ndarray.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { gradientsOf } from '../../src/core/program/gradients-of.ts';
import { Random } from '../../src/core/random.ts';
import { kernels } from '../support/kernels.ts';
import { relativeError } from '../support/training.ts';

/** PyTorch's exporter leaves out Y where only the last states are read; the gradients are those of a node that has it. */

const gates = { GRU: 3, LSTM: 4, RNN: 1 } as const;
const [T, N, I, H] = [3, 2, 4, 3];

const drawn = (dims: readonly number[], stream: number): NDArray => {
  const random = new Random(9, 'recurrent', stream);
  return { dtype: 'float32', dims, data: Float32Array.from({ length: sizeOf(dims) }, () => random.normal()) };
};

for (const kernel of kernels) {
  for (const [op, count] of Object.entries(gates)) {
    test(`${kernel.name}: ${op} without its first output has the same gradients`, async () => {
      const gradients = async (first: string) => {
        const b = new GraphBuilder();
        const x = b.input('x', 'float32', [T, N, I]);
        const stored = [
          [2, count * H, I],
          [2, count * H, H],
          [2, 2 * count * H],
        ].map((dims, i) =>
          b.initializer(`w${i}`, tensor('float32', dims, drawn(dims, i).data as Float32Array)),
        );
        const attributes = { hidden_size: H, direction: 'bidirectional' };
        b.ops(op, [x, ...stored], attributes, { outputs: [first, 'last'] });
        b.output('last');
        const request = { model: b.model(), parameters: ['w0', 'w1', 'w2'], training: true };
        const seeds = { last: drawn([2, N, H], 7) };
        return (await gradientsOf(request, { x: drawn([T, N, I], 8) }, seeds, kernel)).gradients;
      };
      const [whole, without] = [await gradients('y'), await gradients('')];
      for (const [name, value] of whole) {
        assert.ok(Math.hypot(...value) > 0.01, `${name} has a gradient`);
        assert.ok(relativeError(without.get(name)!, value) < 1e-6, name);
      }
    });
  }
}
