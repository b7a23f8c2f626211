import { RetortError } from '../../errors.ts';

/** What helps against steps that are too long. */
export const SHORTER_STEPS =
  'Lower the learning rate (train.optimizer.learningRate), add a warm-up, or set train.clipNorm.';
/** No rate has moved anything yet. */
const BEFORE_LEARNING =
  'It was so before anything was learned: look at the weights and temperatures of the objective, and at inputs (scale, mean, std).';

/** TRAIN_DIVERGED if a loss is not finite. `first` is the number of steps done before the first of them. */
export function refuseDivergence(loss: Float32Array, first: number): void {
  const bad = loss.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new RetortError('TRAIN_DIVERGED', `the loss is ${loss[bad]} at step ${first + bad}`, {
    hint: first + bad === 0 ? BEFORE_LEARNING : SHORTER_STEPS,
    facts: { step: first + bad },
  });
}
