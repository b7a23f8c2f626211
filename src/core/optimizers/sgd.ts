import Type from 'typebox';
import { arithmetic, type Optimizer } from './optimizer.ts';

const options = Type.Object(
  {
    learningRate: Type.Number({ default: 0.1, exclusiveMinimum: 0, description: 'Base learning rate.' }),
    momentum: Type.Number({
      default: 0.9,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'm; may be cycled.',
    }),
    nesterov: Type.Boolean({ default: false, description: 'Look one momentum step ahead.' }),
    weightDecay: Type.Number({ default: 0, minimum: 0, description: 'w; coupled: added to the gradient.' }),
  },
  { additionalProperties: false },
);

/**
 * Stochastic gradient descent with momentum, as PyTorch has it (no dampening; the learning rate stands outside the
 * velocity, so a schedule acts at once). Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization
 * and momentum in deep learning", http://proceedings.mlr.press/v28/sutskever13.html
 */
export const sgd: Optimizer<typeof options> = {
  name: 'sgd',
  summary: 'Stochastic gradient descent with momentum, Nesterov on request, coupled weight decay',
  citation: 'Sutskever et al. 2013, On the importance of initialization and momentum in deep learning',
  formula: 'g <- g + w p; v <- m v + g; p <- p - lr (nesterov ? g + m v : v)',
  options,
  slots: ['velocity'],
  scalars: { momentum: 'momentum' },

  build({ b, param, grad, slots, scalars, weightDecay }, { nesterov }) {
    const { add, sub, mul } = arithmetic(b);
    const m = scalars.momentum!;
    const g = weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
    const velocity = add(mul(slots.velocity!, m), g);
    const direction = nesterov ? add(g, mul(velocity, m)) : velocity;
    return { param: sub(param, mul(direction, scalars.learning_rate!)), slots: { velocity } };
  },

  reference({ param, grad, slots, scalars, weightDecay }, { nesterov }) {
    const { learning_rate: lr = 0, momentum: m = 0 } = scalars;
    const decayed = grad.map((g, i) => g + weightDecay * param[i]!);
    const velocity = decayed.map((g, i) => m * slots.velocity![i]! + g);
    const next = param.map((p, i) => p - lr * (nesterov ? decayed[i]! + m * velocity[i]! : velocity[i]!));
    return { param: next, grad, slots: { velocity }, scalars, weightDecay };
  },
};
