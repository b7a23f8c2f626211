import Type, { type Static } from 'typebox';
import { divergence, divergenceRow } from './divergence.ts';
import type { LossContext, LossNumbers } from './loss.ts';
import { batchMean, rowSums, timesSquared } from './means.ts';
import {
  logSoftened,
  logSoftmaxRow,
  logSumExpRow,
  meanOfSoftened,
  refusesStandardizedPairs,
  standardizeOption,
} from './softened.ts';
import { targetMask, targetOf } from './target-mask.ts';

/**
 * Shared by `dkd` and `dkd-label-free`. Target t, b = (p_t, 1 - p_t), p^ = softmax over the classes but t:
 * TCKD = KL(b_teacher || b_student), NCKD = KL(p^_teacher || p^_student), L = T^2 / B * sum_b (alpha TCKD + beta NCKD).
 * KL(p_teacher || p_student) = TCKD + (1 - p_t of the teacher) NCKD. With two classes NCKD is 0.
 */
export const decoupledOptions = Type.Object(
  {
    alpha: Type.Number({ default: 1, minimum: 0, description: 'weight of the target class' }),
    beta: Type.Number({ default: 8, minimum: 0, description: 'weight of the other classes' }),
    standardize: standardizeOption,
  },
  { additionalProperties: false },
);

type Options = Static<typeof decoupledOptions>;

/**
 * ln of a masked probability. The published code subtracts 1000 from the target's logit, which at logits of 1e4 masks
 * nothing. Not -Infinity: that times its own probability of 0 is no number.
 */
const MASKED = -1e30;

/** The loss in a graph; labels decide the target where given. */
export function decoupled(context: LossContext, { alpha, beta, standardize }: Options): string {
  const { b, labels } = context;
  const { student, teacher, temperature } = logSoftened(context, standardize);
  const target = targetMask(b, context.teacherLogits!, labels);
  const others = (ln: string) => b.op('Where', [target, b.constant(MASKED), ln]);
  const split = (ln: string) => ({
    target: rowSums(b, b.op('Where', [target, ln, b.constant(0)])),
    rest: b.op('ReduceLogSumExp', [others(ln), b.ints([1])]),
    others: b.op('LogSoftmax', [others(ln)], { axis: 1 }),
  });
  const [s, t] = [split(student), split(teacher)];
  const targetClass = b.op('Add', [divergence(b, t.target, s.target), divergence(b, t.rest, s.rest)]);
  const otherClasses = divergence(b, t.others, s.others);
  const weighted = (perElement: string, weight: number) =>
    b.op('Mul', [batchMean(b, perElement), b.constant(weight)]);
  const sum = b.op('Add', [weighted(targetClass, alpha), weighted(otherClasses, beta)]);
  return timesSquared(b, sum, temperature);
}

/** Plain-number twin of `decoupled`. */
export function decoupledReference(
  numbers: LossNumbers,
  { alpha, beta, standardize }: Options,
  usesLabels: boolean,
): number {
  const mean = meanOfSoftened(numbers, standardize, (student, teacher, label) => {
    const target = targetOf(teacher, usesLabels ? label : undefined);
    const others = (ln: readonly number[]) => ln.filter((_, c) => c !== target);
    const binary = (ln: readonly number[]) => [ln[target]!, logSumExpRow(others(ln))];
    const among = (ln: readonly number[]) => logSoftmaxRow(others(ln));
    const targetClass = divergenceRow(binary(teacher), binary(student));
    return alpha * targetClass + beta * divergenceRow(among(teacher), among(student));
  });
  return numbers.temperature ** 2 * mean;
}

/** Why the options say nothing of two classes. */
export const refusesDecoupledPairs = ({ alpha, standardize }: Options): string | undefined =>
  refusesStandardizedPairs({ standardize }) ??
  (alpha === 0 ? 'weighs only the classes besides the target, and with two classes there is one' : undefined);
