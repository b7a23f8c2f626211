import { adamOptions, adamReference, adamUpdate, biasCorrections } from './adam.ts';
import { arithmetic, type Optimizer } from './optimizer.ts';

const options = adamOptions(0.01, 'w; decoupled: shrinks the parameter by lr w, untouched by the moments.');

/** Adam with decoupled weight decay. Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2. */
export const adamw: Optimizer<typeof options> = {
  name: 'adamw',
  summary: 'Adam with decoupled weight decay',
  citation: 'Loshchilov, Hutter 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101',
  formula: 'p <- p (1 - lr w); then the update of adam without decay',
  options,
  slots: ['mean', 'square'],
  scalars: { momentum: 'beta1' },
  derive: biasCorrections,

  build(context, given) {
    const { sub, mul } = arithmetic(context.b);
    const { param, grad, scalars, weightDecay } = context;
    const shrink = () => mul(param, sub(1, mul(scalars.learning_rate!, weightDecay)));
    return adamUpdate(context, weightDecay === 0 ? param : shrink(), grad, given);
  },

  reference(state, given) {
    const shrink = 1 - state.scalars.learning_rate! * state.weightDecay;
    return adamReference(
      state,
      state.param.map((p) => p * shrink),
      [...state.grad],
      given,
    );
  },
};
