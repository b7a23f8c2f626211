import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x where x > 0, else alpha x; so dx = dy where x > 0, else alpha dy.
 * https://onnx.ai/onnx/operators/onnx__LeakyRelu.html
 */
export const leakyRelu = pointwise(
  'LeakyRelu',
  ({ node, x, dy, m }) => m.where(m.greater(x, 0), dy, m.mul(dy, floatAttribute(node, 'alpha', 0.01))),
  [
    ...pointwiseSamples({ away: [0] }),
    ...pointwiseSamples({ name: 'alpha 0.3', away: [0], attributes: { alpha: float(0.3) } }),
  ],
);
