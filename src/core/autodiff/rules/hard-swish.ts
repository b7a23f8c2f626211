import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x max(0, min(1, x/6 + 1/2)); so the slope is 0 below -3, (2x + 3)/6 between, 1 above 3.
 * https://onnx.ai/onnx/operators/onnx__HardSwish.html
 */
export const hardSwish = pointwise(
  'HardSwish',
  ({ x, dy, m }) => {
    const bent = m.mul(m.add(x, 1.5), 1 / 3);
    return m.mul(dy, m.where(m.less(m.abs(x), 3), bent, m.mask(m.greater(x, 0))));
  },
  pointwiseSamples({ range: [-5, 5], away: [-3, 3] }),
);
