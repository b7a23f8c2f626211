import { float, floatAttribute } from '../../onnx/attributes.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import { normalize, normalizeGradient } from '../emit/normalized.ts';
import type { GradientRule } from '../rule.ts';

/**
 * x [N, C, spatial...]: y = z scale[C] + bias[C] with z = (x - mean) inv, statistics over the spatial axes of each image
 * and channel. dbias = sum of dy, dscale = sum of dy z, both over all axes but C; dz = dy scale,
 * dx = inv (dz - mean(dz) - z mean(dz z)). https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html
 */
export const instanceNormalization: GradientRule = {
  op: 'InstanceNormalization',
  differentiable: 'all',
  samples: [
    { name: 'image', inputs: [{ shape: [2, 3, 2, 3] }, { shape: [3] }, { shape: [3] }] },
    {
      name: 'sequence, large epsilon',
      inputs: [{ shape: [2, 2, 5] }, { shape: [2] }, { shape: [2] }],
      attributes: { epsilon: float(0.1) },
    },
  ],
  backward: (c) => {
    const { b } = c;
    const [x, dy] = [c.x(0), c.dy(0)];
    const m = arithmetic(b, b.dtype(x));
    const dims = b.dims(x);
    const spatial = dims.map((_, i) => i).slice(2);
    const perChannel = [0, ...spatial];
    const normal = normalize(b, x, spatial, floatAttribute(c.node, 'epsilon', 1e-5));
    const total = (value: string) => b.op('ReduceSum', [value, b.ints(perChannel)], { keepdims: 0 });
    const scale = b.op('Reshape', [c.x(1), b.ints([dims[1]!, ...spatial.map(() => 1)])]);
    return [
      c.wants(0) ? normalizeGradient(b, m.mul(dy, scale), normal, spatial) : undefined,
      c.wants(1) ? total(m.mul(dy, normal.z)) : undefined,
      c.wants(2) ? total(dy) : undefined,
    ];
  },
};
