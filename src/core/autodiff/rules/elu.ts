import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x where x > 0, else alpha (e^x - 1); there the slope alpha e^x is y + alpha.
 * https://onnx.ai/onnx/operators/onnx__Elu.html
 */
export const elu = pointwise(
  'Elu',
  ({ node, x, y, dy, m }) =>
    m.where(m.greater(x, 0), dy, m.mul(dy, m.add(y, floatAttribute(node, 'alpha', 1)))),
  [
    ...pointwiseSamples({ away: [0] }),
    ...pointwiseSamples({ name: 'alpha 0.5', away: [0], attributes: { alpha: float(0.5) } }),
  ],
);
