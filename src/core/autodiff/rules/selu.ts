import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = gamma x where x > 0, else gamma alpha (e^x - 1); there the slope gamma alpha e^x is y + gamma alpha.
 * https://onnx.ai/onnx/operators/onnx__Selu.html
 */
export const selu = pointwise(
  'Selu',
  ({ node, x, y, dy, m }) => {
    const alpha = floatAttribute(node, 'alpha', 1.6732631921768188);
    const gamma = floatAttribute(node, 'gamma', 1.0507010221481323);
    return m.mul(dy, m.where(m.greater(x, 0), gamma, m.add(y, gamma * alpha)));
  },
  [
    ...pointwiseSamples({ away: [0] }),
    ...pointwiseSamples({
      name: 'own constants',
      away: [0],
      attributes: { alpha: float(2), gamma: float(1.5) },
    }),
  ],
);
