import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { toOpset18 } from '../../src/core/onnx/passes/to-opset-18.ts';
import { evaluate } from '../support/graph-values.ts';

/**
 * Operators that few networks have, against PyTorch 2.13 in float64: sums of the output and of the gradients by every input,
 * each weighed by a sine of its own. The numbers were printed by python3 running
 *
 *     import torch
 *     F = torch.nn.functional
 *     def wave(n, a, b, *dims):
 *         return torch.sin(torch.arange(n, dtype=torch.float64) * a + b).reshape(dims)
 *     def report(name, y, *wrt):
 *         dy = wave(y.numel(), 0.9, 1.0, *y.shape)
 *         grads = torch.autograd.grad((y * dy).sum(), wrt)
 *         probe = lambda v: (v * wave(v.numel(), 1.3, 0.2, *v.shape)).sum().item()
 *         print(f"  '{name}': [{', '.join(f'{probe(v):.8f}' for v in (y, *grads))}],")
 *     for mode in ('bilinear', 'bicubic', 'nearest'):
 *         for padding in ('zeros', 'border', 'reflection'):
 *             for corners in (0, 1):
 *                 x = wave(120, 0.7, 0.3, 2, 3, 4, 5).requires_grad_()
 *                 grid = (1.6 * wave(36, 2.7, 0.5, 2, 3, 3, 2)).requires_grad_()
 *                 y = F.grid_sample(x, grid, mode, padding, bool(corners))
 *                 report(f'{mode} {padding} {corners}', y, x, *([grid] if mode != 'nearest' else []))
 *     x = wave(2 * 18 * 12, 0.7, 0.3, 2, 18, 12).requires_grad_()
 *     report('fold', F.fold(x, (5, 6), (2, 3), dilation=(1, 2), padding=(1, 1), stride=(2, 1)), x)
 *     x = wave(2 * 2 * 6 * 6, 0.7, 0.3, 2, 2, 6, 6).requires_grad_()
 *     pooled, indices = F.max_pool2d(x, 2, return_indices=True)
 *     report('pooled and back', F.max_unpool2d(pooled, indices, 2), x)
 */
const reference: Readonly<Record<string, readonly number[]>> = {
  'bilinear zeros 0': [1.91939106, -3.5513547, -10.30855394],
  'bilinear zeros 1': [4.58111228, -3.18107792, -4.49403518],
  'bilinear border 0': [6.51793259, -5.94307579, -8.58176154],
  'bilinear border 1': [6.68504911, -5.25903827, -4.05703907],
  'bilinear reflection 0': [5.3495186, -7.33213755, -2.16176824],
  'bilinear reflection 1': [3.70908486, -7.76006467, -6.66679887],
  'bicubic zeros 0': [2.19123751, -4.27168588, -16.18363564],
  'bicubic zeros 1': [5.13531167, -3.76486186, -5.1130304],
  'bicubic border 0': [7.7503053, -6.3026278, -16.21066365],
  'bicubic border 1': [7.03900777, -5.5339361, -1.79255339],
  'bicubic reflection 0': [6.8487461, -8.08073402, -5.71746906],
  'bicubic reflection 1': [4.20039149, -8.35666173, -4.62273155],
  'nearest zeros 0': [2.5305986, -4.00710816],
  'nearest zeros 1': [4.47930567, -2.80023116],
  'nearest border 0': [8.17043816, -5.46471773],
  'nearest border 1': [8.30252193, -5.29268823],
  'nearest reflection 0': [7.00250874, -7.50156081],
  'nearest reflection 1': [3.34110864, -8.71282538],
  fold: [11.14317704, 2.68479027],
  'pooled and back': [1.74567585, -0.17295944],
};

const wave = (a: number, b: number, dims: readonly number[], scale = 1): Float32Array =>
  Float32Array.from({ length: dims.reduce((n, dim) => n * dim, 1) }, (_, i) => scale * Math.sin(a * i + b));

/** x, and the grid where there is one, as inputs; y by name. */
interface Made {
  readonly b: GraphBuilder;
  readonly y: string;
  readonly grid?: boolean;
}

const X: Readonly<Record<string, readonly number[]>> = {
  fold: [2, 18, 12],
  'pooled and back': [2, 2, 6, 6],
};
const GRID = [2, 3, 3, 2];

function made(name: string, opset: number): Made {
  const b = new GraphBuilder({ '': opset });
  const x = b.input('x', 'float32', X[name] ?? [2, 3, 4, 5]);
  if (name === 'fold') {
    const attributes = { strides: [2, 1], pads: [1, 1, 1, 1], dilations: [1, 2] };
    return { b, y: b.op('Col2Im', [x, b.ints([5, 6]), b.ints([2, 3])], attributes) };
  }
  if (name === 'pooled and back') {
    const windows = { kernel_shape: [2, 2], strides: [2, 2] };
    const [top, places] = b.ops('MaxPool', [x], windows, { outputs: 2 }) as [string, string];
    return { b, y: b.op('MaxUnpool', [top, places], windows) };
  }
  const [mode, padding, corners] = name.split(' ') as [string, string, string];
  const grid = b.input('grid', 'float32', GRID);
  const named = opset >= 20 ? mode.replace(/^bi/, '') : mode;
  const attributes = { mode: named, padding_mode: padding, align_corners: Number(corners) };
  return { b, y: b.op('GridSample', [x, grid], attributes), grid: mode !== 'nearest' };
}

/** The same at opset 18, as training has it. */
function at18({ b, y, ...rest }: Made): Made {
  b.output(y);
  const model: Model = toOpset18.run(b.model(), {});
  return { b: GraphBuilder.from(model.graph), y, ...rest };
}

for (const [name, expected] of Object.entries(reference)) {
  for (const opset of name.includes(' 1') ? [18, 20] : [18]) {
    for (const target of ['ort-cpu', 'ort-cuda'] as const) {
      test(`${name} of opset ${opset} has the gradient of PyTorch, ${target}`, async () => {
        const { b, y, grid } = at18(made(name, opset));
        const dims = b.dims(y);
        b.input('dy', 'float32', dims);
        const wrt = ['x', ...(grid ? ['grid'] : [])];
        const gradients = appendGradients(b, { outputs: new Map([[y, 'dy']]), wrt, target });
        const names = [y, ...wrt.map((each) => gradients.get(each)!)];
        const values = await evaluate(
          b,
          names,
          new Map([
            ['x', wave(0.7, 0.3, b.dims('x'))],
            ['grid', wave(2.7, 0.5, GRID, 1.6)],
            ['dy', wave(0.9, 1, dims)],
          ]),
        );
        names.forEach((each, i) => {
          const value = values.get(each)!;
          const probe = wave(1.3, 0.2, [value.length]);
          const sum = value.reduce((total, v, at) => total + v * probe[at]!, 0);
          assert.ok(Math.abs(sum - expected[i]!) < 1e-4, `number ${i} is ${sum}, not ${expected[i]}`);
        });
      });
    }
  }
}
