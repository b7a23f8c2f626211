import Type, { type Static } from 'typebox';
import { arithmetic, type Optimizer, type ReferenceState, type UpdateContext } from './optimizer.ts';

export const adamOptions = (weightDecay: number, decay: string) =>
  Type.Object(
    {
      learningRate: Type.Number({ default: 1e-3, exclusiveMinimum: 0, description: 'Base learning rate.' }),
      beta1: Type.Number({ default: 0.9, minimum: 0, exclusiveMaximum: 1, description: 'May be cycled.' }),
      beta2: Type.Number({ default: 0.999, minimum: 0, exclusiveMaximum: 1 }),
      epsilon: Type.Number({ default: 1e-8, exclusiveMinimum: 0, description: 'Added outside the root.' }),
      weightDecay: Type.Number({ default: weightDecay, minimum: 0, description: decay }),
    },
    { additionalProperties: false },
  );

type AdamOptions = Static<ReturnType<typeof adamOptions>>;

/** 1 - beta^t loses its digits in float32 when t is small, so kernels make these two in double precision. */
export const biasCorrections = (
  step: number,
  { momentum = 0 }: Readonly<Record<string, number>>,
  { beta2 }: AdamOptions,
) => ({ bias1: 1 - momentum ** step, bias2_root: Math.sqrt(1 - beta2 ** step) });

/** Adds the update of both moments and the parameter; `grad` and `param` with decay already applied. */
export function adamUpdate(
  { b, slots, scalars }: UpdateContext,
  param: string,
  grad: string,
  { beta2, epsilon }: AdamOptions,
) {
  const { add, sub, mul, div, sqrt } = arithmetic(b);
  const beta1 = scalars.momentum!;
  const mean = add(mul(slots.mean!, beta1), mul(grad, sub(1, beta1)));
  const square = add(mul(slots.square!, beta2), mul(mul(grad, grad), 1 - beta2));
  const root = add(div(sqrt(square), scalars.bias2_root!), epsilon);
  const rate = div(scalars.learning_rate!, scalars.bias1!);
  return { param: sub(param, mul(div(mean, root), rate)), slots: { mean, square } };
}

export function adamReference(state: ReferenceState, param: number[], grad: number[], options: AdamOptions) {
  const { learning_rate: lr = 0, step: t = 1, momentum: b1 = 0 } = state.scalars;
  const { beta2: b2, epsilon } = options;
  const mean = grad.map((g, i) => b1 * state.slots.mean![i]! + (1 - b1) * g);
  const square = grad.map((g, i) => b2 * state.slots.square![i]! + (1 - b2) * g * g);
  const next = param.map((p, i) => {
    const unbiasedMean = mean[i]! / (1 - b1 ** t);
    const unbiasedSquare = square[i]! / (1 - b2 ** t);
    return p - (lr * unbiasedMean) / (Math.sqrt(unbiasedSquare) + epsilon);
  });
  return { ...state, param: next, slots: { mean, square } };
}

const options = adamOptions(0, 'w; coupled: added to the gradient.');

/** Adam with bias correction and coupled (L2) decay. Kingma, Ba 2015, arXiv:1412.6980, algorithm 1. */
export const adam: Optimizer<typeof options> = {
  name: 'adam',
  summary: 'Adam with bias correction, coupled weight decay',
  citation: 'Kingma, Ba 2015, Adam: A Method for Stochastic Optimization, arXiv:1412.6980',
  formula:
    'g <- g + w p; m <- b1 m + (1-b1) g; v <- b2 v + (1-b2) g^2; p <- p - lr m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps)',
  options,
  slots: ['mean', 'square'],
  scalars: { momentum: 'beta1' },
  derive: biasCorrections,

  build(context, given) {
    const { add, mul } = arithmetic(context.b);
    const { param, grad, weightDecay } = context;
    return adamUpdate(context, param, weightDecay === 0 ? grad : add(grad, mul(param, weightDecay)), given);
  },

  reference(state, given) {
    const grad = state.grad.map((g, i) => g + state.weightDecay * state.param[i]!);
    return adamReference(state, [...state.param], grad, given);
  },
};
