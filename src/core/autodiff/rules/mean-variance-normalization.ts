import { intsAttribute } from '../../onnx/attributes.ts';
import { normalAxis } from '../emit/axis.ts';
import { normalize, normalizeGradient } from '../emit/normalized.ts';
import type { GradientRule } from '../rule.ts';

/** onnxruntime adds 1e-9 to the deviation; here its square is added to the variance, which keeps zeros zero as well. */
const EPSILON = 1e-18;

/**
 * y = (x - mean) / deviation over axes (by default all but channels), so
 * dx = (dy - mean(dy) - y mean(dy y)) / deviation. https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html
 */
export const meanVarianceNormalization: GradientRule = {
  op: 'MeanVarianceNormalization',
  differentiable: [0],
  samples: [
    { name: 'images by default', inputs: [{ shape: [2, 2, 2, 3] }] },
    { name: 'own axes', inputs: [{ shape: [2, 3, 4] }], attributes: { axes: [1, -1] } },
  ],
  backward: (c) => {
    const rank = c.b.dims(c.x(0)).length;
    const axes = intsAttribute(c.node, 'axes', [0, 2, 3]).map((axis) => normalAxis(axis, rank));
    return [normalizeGradient(c.b, c.dy(0), normalize(c.b, c.x(0), axes, EPSILON), axes)];
  },
};
