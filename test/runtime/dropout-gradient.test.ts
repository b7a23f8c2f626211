import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { runModel } from '../support/run-model.ts';

const size = 200;
const data = Float32Array.from({ length: size }, (_, i) => (i % 7) + 1);

function dropout(outputs: number) {
  const b = new GraphBuilder();
  b.input('x', 'float32', [size]);
  const settings = [b.constant(0.25), b.constant(1, 'bool')];
  const [y] = b.ops('Dropout', ['x', ...settings], {}, { outputs });
  b.input('dy', 'float32', [size]);
  return { b, y: y! };
}

test('in training the gradient of Dropout has the mask and scale of the same run', async () => {
  const { b, y } = dropout(2);
  const request = { outputs: new Map([[y, 'dy']]), wrt: ['x'], target: 'ort-cpu' } as const;
  const dx = appendGradients(b, request).get('x')!;
  b.output(y, dx);
  const x = { dtype: 'float32', dims: [size], data } as const;
  const result = await runModel(b.model(), { x, dy: { ...x, data: new Float32Array(size).fill(3) } });
  const [out, gradient] = [result[y]!.data as Float32Array, result[dx]!.data as Float32Array];
  const dropped = out.filter((value) => value === 0).length;
  assert.ok(dropped > size / 10 && dropped < size / 2, `${dropped} of ${size} dropped at ratio 0.25`);
  // y / x is 0 or 4/3, and so is dx / dy.
  out.forEach((value, i) => {
    assert.ok(Math.abs(gradient[i]! / 3 - value / data[i]!) < 1e-6);
  });
});

test('Dropout in training without a mask output is refused by name', () => {
  const { b, y } = dropout(1);
  const request = { outputs: new Map([[y, 'dy']]), wrt: ['x'], target: 'ort-cpu' } as const;
  assert.throws(() => appendGradients(b, request), { code: 'GRAD_MISSING_RULE', message: /mask/ });
});
