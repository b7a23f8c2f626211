import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x where x > 0, else alpha (e^(x/alpha) - 1); there the slope e^(x/alpha) is y/alpha + 1.
 * https://onnx.ai/onnx/operators/onnx__Celu.html
 */
export const celu = pointwise(
  'Celu',
  ({ node, x, y, dy, m }) => {
    const alpha = floatAttribute(node, 'alpha', 1);
    return m.where(m.greater(x, 0), dy, m.mul(dy, m.add(m.mul(y, 1 / alpha), 1)));
  },
  [
    ...pointwiseSamples({ away: [0] }),
    ...pointwiseSamples({ name: 'alpha 2', away: [0], attributes: { alpha: float(2) } }),
  ],
);
