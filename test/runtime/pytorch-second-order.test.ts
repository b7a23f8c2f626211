import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { lowerGradients } from '../../src/core/program/lower.ts';
import { evaluate } from '../support/graph-values.ts';

/**
 * Second order through a convolution, batch normalisation in training mode, Softplus, a classifier and cross-entropy,
 * against PyTorch 2.13 in float64: <gradient, v> and |gradient|^2, then their gradients by every parameter and by the input,
 * each summed up with a sine of its own. The numbers were printed by python3 running
 *
 *     import torch
 *     F = torch.nn.functional
 *     def wave(a, b, *dims):
 *         n = torch.Size(dims).numel()
 *         return torch.sin(torch.arange(n, dtype=torch.float64) * a + b).reshape(dims)
 *     x = wave(0.7, 0.3, 4, 2, 5, 5).requires_grad_()
 *     shapes = [(3, 2, 3, 3), (3,), (3,), (3, 3), (3,)]
 *     params = [wave(1.1 + i, 0.5, *dims).requires_grad_() for i, dims in enumerate(shapes)]
 *     kernel, scale, shift, weight, bias = params
 *     y = F.batch_norm(F.conv2d(x, kernel, padding=1), None, None, scale, shift, training=True)
 *     logits = F.softplus(y).mean((2, 3)) @ weight.T + bias
 *     loss = F.cross_entropy(logits, torch.arange(4) % 3)
 *     g = torch.autograd.grad(loss, params, create_graph=True)
 *     product = sum((gi * wave(0.9, 1 + i, *gi.shape)).sum() for i, gi in enumerate(g))
 *     square = sum((gi * gi).sum() for gi in g)
 *     for name, scalar in (('product', product), ('square', square)):
 *         second = torch.autograd.grad(scalar, [*params, x], retain_graph=True)
 *         probes = [(s * wave(1.3, 0.2, *s.shape)).sum().item() for s in second]
 *         print(f"  {name}: [{', '.join(f'{p:.10f}' for p in [scalar.item(), *probes])}],")
 */
const reference: Readonly<Record<string, readonly number[]>> = {
  product: [
    -0.3260123154, 0.0026828635, -0.0266123407, -0.0279684789, -1.3084884707, 0.4899343021, 0.0022751942,
  ],
  square: [
    0.1295468017, 0.0014433957, 0.0039288625, 0.0235602552, 0.4697639547, -0.1545735718, -0.0009000004,
  ],
};

const wave = (a: number, b: number, dims: readonly number[]): Float32Array =>
  Float32Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(a * i + b));

const SHAPES = { kernel: [3, 2, 3, 3], scale: [3], shift: [3], weight: [3, 3], bias: [3] } as const;
const names = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

function program() {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 2, 5, 5]);
  names.forEach((name, i) => {
    b.initializer(name, tensor('float32', SHAPES[name], wave(1.1 + i, 0.5, SHAPES[name])));
  });
  for (const [i, name] of ['mean', 'var'].entries()) b.initializer(name, tensor('float32', [3], [i, i, i]));
  const map = b.op('Conv', [x, 'kernel'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const outputs = ['normal', 'mean.next', 'var.next'];
  b.ops('BatchNormalization', [map, 'scale', 'shift', 'mean', 'var'], { training_mode: 1 }, { outputs });
  const pooled = b.op('Flatten', [b.op('GlobalAveragePool', [b.op('Softplus', ['normal'])])], { axis: 1 });
  b.output(b.op('Gemm', [pooled, 'weight', 'bias'], { transB: 1 }, { outputs: ['logits'] }));
  return buildProgram({
    student: b.model('reference'),
    terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
    batchSize: 4,
    optimizer: { name: 'sgd', options: {} },
  });
}

for (const [scalar, expected] of Object.entries(reference)) {
  for (const target of ['ort-cpu', 'ort-cuda'] as const) {
    test(`the gradients of the gradient's ${scalar} are PyTorch's, ${target}`, async () => {
      const { graph, gradients } = lowerGradients(program(), target);
      const b = GraphBuilder.from(graph);
      const terms = names.map((name, i) => {
        const g = gradients.get(name)!;
        const v = b.constant([...wave(0.9, 1 + i, SHAPES[name])], 'float32', SHAPES[name]);
        return b.op('ReduceSum', [b.op('Mul', [g, scalar === 'product' ? v : g])], { keepdims: 0 });
      });
      const sum = terms.reduce((left, right) => b.op('Add', [left, right]));
      const wrt = [...names, 'x'];
      const second = appendGradients(b, { outputs: sum, wrt, target });
      const asked = [sum, ...wrt.map((name) => second.get(name)!)];
      const values = await evaluate(
        b,
        asked,
        new Map([
          ...names.map((name, i) => [name, wave(1.1 + i, 0.5, SHAPES[name])] as const),
          ['x', wave(0.7, 0.3, [4, 2, 5, 5])],
          ['labels', Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0)],
          ['mean', new Float32Array(3)],
          ['var', new Float32Array(3).fill(1)],
        ]),
      );
      asked.forEach((name, i) => {
        const value = values.get(name)!;
        const probe = i === 0 ? Float32Array.of(1) : wave(1.3, 0.2, [value.length]);
        const found = value.reduce((total, each, at) => total + each * probe[at]!, 0);
        const error = Math.abs(found - expected[i]!);
        // Rounding of float32 in sums of numbers up to one.
        assert.ok(error < 2e-6, `number ${i} is ${found}, not ${expected[i]}`);
      });
    });
  }
}
