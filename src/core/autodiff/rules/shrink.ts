import { float, floatAttribute } from '../../onnx/attributes.ts';
import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x drawn towards zero by bias where |x| > lambd, else 0; so dx = dy where |x| > lambd, else 0.
 * https://onnx.ai/onnx/operators/onnx__Shrink.html
 */
export const shrink = pointwise(
  'Shrink',
  ({ node, x, dy, m }) => m.mul(dy, m.mask(m.greater(m.abs(x), floatAttribute(node, 'lambd', 0.5)))),
  [
    ...pointwiseSamples({ away: [-0.5, 0, 0.5] }),
    ...pointwiseSamples({
      name: 'soft',
      away: [-0.7, 0, 0.7],
      attributes: { lambd: float(0.7), bias: float(0.7) },
    }),
  ],
);
