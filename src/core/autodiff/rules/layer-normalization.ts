import { float, floatAttribute } from '../../onnx/attributes.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import { axisAttribute } from '../emit/axis.ts';
import { normalize, normalizeGradient } from '../emit/normalized.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = z scale + bias with z = (x - mean) inv, inv = 1 / sqrt(variance + epsilon), statistics over the axes from `axis` on.
 * dbias = dy, dscale = dy z (the walk sums both), dz = dy scale, dx = inv (dz - mean(dz) - z mean(dz z)).
 * The outputs mean and inv, where asked: dmean/dx = 1/n, dinv/dx = -inv^2 z / n.
 * https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
 */
export const layerNormalization: GradientRule = {
  op: 'LayerNormalization',
  differentiable: 'all',
  samples: [
    { name: 'last axis', inputs: [{ shape: [3, 4] }, { shape: [4] }, { shape: [4] }] },
    { name: 'without bias', inputs: [{ shape: [2, 2, 4] }, { shape: [4] }] },
    {
      name: 'two axes, large epsilon',
      inputs: [{ shape: [2, 2, 3] }, { shape: [2, 3] }, { shape: [2, 3] }],
      attributes: { axis: 1, epsilon: float(0.1) },
    },
    {
      name: 'statistics as outputs',
      inputs: [{ shape: [2, 4] }, { shape: [4] }, { shape: [4] }],
      attributes: { axis: -1, epsilon: float(0.1) },
      outputs: 3,
    },
  ],
  backward: (c) => {
    const { b, node } = c;
    const [x, scale, dy] = [c.x(0), c.x(1), c.dy(0)];
    const m = arithmetic(b, b.dtype(x));
    const dims = b.dims(x);
    const first = axisAttribute(c, -1);
    const axes = dims.map((_, i) => i).slice(first);
    const [mean, inv] = [node.outputs[1], node.outputs[2]];
    const normal = normalize(b, x, axes, floatAttribute(node, 'epsilon', 1e-5), {
      ...(mean ? { mean } : {}),
      ...(inv ? { inv } : {}),
    });
    const gradients: (string | undefined)[] = [];
    if (c.wants(0)) {
      const share = 1 / axes.reduce((product, axis) => product * dims[axis]!, 1);
      let dx = normalizeGradient(b, m.mul(dy, scale), normal, axes);
      if (c.hasDy(1)) dx = m.add(dx, m.mul(c.dy(1), share));
      if (c.hasDy(2)) {
        const slope = m.mul(m.mul(normal.inv, normal.inv), m.mul(normal.z, share));
        dx = m.sub(dx, m.mul(c.dy(2), slope));
      }
      gradients[0] = dx;
    }
    if (c.wants(1)) gradients[1] = m.mul(dy, normal.z);
    if (c.hasX(2)) gradients[2] = dy;
    return node.inputs.map((_, i) => gradients[i]);
  },
};
