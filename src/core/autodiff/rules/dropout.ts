import { RetortError } from '../../../errors.ts';
import { numbers } from '../../onnx/tensor.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/**
 * Training: y = x mask / (1 - ratio), so dx = dy mask / (1 - ratio) with the mask the node itself gives. Inference: y = x.
 * ratio (default 1/2) and training_mode (default false) are constants. https://onnx.ai/onnx/operators/onnx__Dropout.html
 */
export const dropout: GradientRule = {
  op: 'Dropout',
  differentiable: [0],
  samples: [
    { name: 'inference by default', inputs: [{ shape: [2, 3] }] },
    {
      name: 'inference, stated',
      inputs: [
        { shape: [2, 3] },
        { constant: [0.4], shape: [] },
        { constant: [0], shape: [], dtype: 'bool' },
      ],
    },
    {
      // Any other ratio draws a new mask at every evaluation; test/runtime/dropout-gradient.test.ts covers those.
      name: 'training, ratio 0',
      inputs: [{ shape: [2, 3] }, { constant: [0], shape: [] }, { constant: [1], shape: [], dtype: 'bool' }],
      outputs: 2,
    },
  ],
  backward: (c) => {
    const others = c.node.inputs.slice(1).map(() => undefined);
    const training = c.hasX(2) && numbers(c.constant(2))[0] !== 0;
    return [training ? masked(c) : c.dy(0), ...others];
  },
};

function masked(c: RuleContext): string {
  if (!c.node.outputs[1]) {
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `Dropout "${c.node.name}" is in training mode but does not give its mask`,
      { hint: 'Declare its second output, or replace it by a mask made of a noise input.' },
    );
  }
  const m = arithmetic(c.b, c.b.dtype(c.x(0)));
  const ratio = c.hasX(1) ? numbers(c.constant(1))[0]! : 0.5;
  const kept = m.mul(c.dy(0), m.mask(c.y(1)));
  return ratio === 0 ? kept : m.mul(kept, 1 / (1 - ratio));
}
