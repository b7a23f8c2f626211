import { RetortError } from '../../errors.ts';

/** TRAIN_DIVERGED if a loss is not finite. `first` is the number of steps done before the first of them. */
export function refuseDivergence(loss: Float32Array, first: number): void {
  const bad = loss.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new RetortError('TRAIN_DIVERGED', `the loss is ${loss[bad]} at step ${first + bad}`, {
    hint: 'Lower the learning rate (train.optimizer.learningRate), add a warm-up, or set train.clipNorm.',
    facts: { step: first + bad },
  });
}
