import { stringAttribute } from '../attributes.ts';
import { misfit, plainType, rankedShape, shapeOf } from './context.ts';
import { define, ints, sample } from './define.ts';
import { isKnown, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/**
 * Class losses over scores [N, C, rest...] and labels [N, rest...]: the loss has the labels' shape without a reduction,
 * else it is a scalar. SoftmaxCrossEntropyLoss may also give the log-probabilities.
 */
function inferClassLoss(c: InferContext): ValueType[] {
  const scores = rankedShape(c, 0, 2);
  const labels = shapeOf(c, 1);
  if (scores && labels) {
    const expected = [scores[0]!, ...scores.slice(2)];
    const fits =
      labels.length === expected.length &&
      labels.every((dim, i) => !isKnown(dim) || !isKnown(expected[i]) || dim === expected[i]);
    if (!fits) misfit(c, `labels ${showShape(labels)} do not fit scores ${showShape(scores)}`);
  }
  const { dtype } = plainType(c, 0);
  const reduced = stringAttribute(c.node, 'reduction', 'mean') !== 'none';
  return [{ dtype, shape: reduced ? [] : labels }, plainType(c, 0)];
}

const samples = {
  NegativeLogLikelihoodLoss: [
    sample([[3, 5], ints(0, 4, 2)]),
    sample([[3, 5], ints(0, 4, 2)], { reduction: 'none' }),
  ],
  SoftmaxCrossEntropyLoss: [sample([[3, 5], ints(0, 4, 2)], {}, { outputs: 2 })],
};

export const classLoss = define(
  [
    { op: 'NegativeLogLikelihoodLoss', infer: inferClassLoss },
    { op: 'SoftmaxCrossEntropyLoss', infer: inferClassLoss },
  ],
  samples,
);
