import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x where x > alpha, else 0; so dx = dy where x > alpha, else 0.
 * https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html
 */
export const thresholdedRelu = pointwise(
  'ThresholdedRelu',
  ({ node, x, dy, m }) => m.mul(dy, m.mask(m.greater(x, floatAttribute(node, 'alpha', 1)))),
  [
    ...pointwiseSamples({ away: [1] }),
    ...pointwiseSamples({ name: 'alpha 0.5', away: [0.5], attributes: { alpha: float(0.5) } }),
  ],
);
