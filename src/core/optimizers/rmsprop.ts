import Type from 'typebox';
import { arithmetic, type Optimizer } from './optimizer.ts';

const options = Type.Object(
  {
    learningRate: Type.Number({ default: 1e-3, exclusiveMinimum: 0, description: 'Base learning rate.' }),
    alpha: Type.Number({ default: 0.99, minimum: 0, exclusiveMaximum: 1, description: 'Memory of squares.' }),
    momentum: Type.Number({ default: 0, minimum: 0, exclusiveMaximum: 1, description: 'm; may be cycled.' }),
    epsilon: Type.Number({ default: 1e-8, exclusiveMinimum: 0, description: 'Added outside the root.' }),
    weightDecay: Type.Number({ default: 0, minimum: 0, description: 'w; coupled: added to the gradient.' }),
  },
  { additionalProperties: false },
);

/**
 * RMSprop as PyTorch has it: epsilon outside the root, momentum over the scaled gradient.
 * Tieleman, Hinton 2012, "Lecture 6.5 - rmsprop", COURSERA: Neural Networks for Machine Learning.
 */
export const rmsprop: Optimizer<typeof options> = {
  name: 'rmsprop',
  summary: 'Gradient divided by a running root mean square, momentum on request, coupled weight decay',
  citation: 'Tieleman, Hinton 2012, Lecture 6.5 - rmsprop',
  formula: 'g <- g + w p; v <- a v + (1-a) g^2; u <- m u + g / (sqrt(v) + eps); p <- p - lr u',
  options,
  slots: ['square', 'velocity'],
  scalars: { momentum: 'momentum' },

  build({ b, param, grad, slots, scalars, weightDecay }, { alpha, epsilon }) {
    const { add, sub, mul, div, sqrt } = arithmetic(b);
    const g = weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
    const square = add(mul(slots.square!, alpha), mul(mul(g, g), 1 - alpha));
    const velocity = add(mul(slots.velocity!, scalars.momentum!), div(g, add(sqrt(square), epsilon)));
    return { param: sub(param, mul(velocity, scalars.learning_rate!)), slots: { square, velocity } };
  },

  reference({ param, grad, slots, scalars, weightDecay }, { alpha, epsilon }) {
    const { learning_rate: lr = 0, momentum: m = 0 } = scalars;
    const decayed = grad.map((g, i) => g + weightDecay * param[i]!);
    const square = decayed.map((g, i) => alpha * slots.square![i]! + (1 - alpha) * g * g);
    const velocity = decayed.map((g, i) => m * slots.velocity![i]! + g / (Math.sqrt(square[i]!) + epsilon));
    const next = param.map((p, i) => p - lr * velocity[i]!);
    return { param: next, grad, slots: { square, velocity }, scalars, weightDecay };
  },
};
