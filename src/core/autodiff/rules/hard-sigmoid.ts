import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = max(0, min(1, alpha x + beta)); so dx = alpha dy where 0 < y < 1, else 0.
 * https://onnx.ai/onnx/operators/onnx__HardSigmoid.html
 */
export const hardSigmoid = pointwise(
  'HardSigmoid',
  ({ node, y, dy, m }) => {
    const inside = m.mask(m.and(m.greater(y, 0), m.less(y, 1)));
    return m.mul(dy, m.mul(inside, floatAttribute(node, 'alpha', 0.2)));
  },
  [
    ...pointwiseSamples({ range: [-4, 4], away: [-2.5, 2.5] }),
    ...pointwiseSamples({
      name: 'own slope',
      away: [-1, 1],
      attributes: { alpha: float(0.5), beta: float(0.5) },
    }),
  ],
);
