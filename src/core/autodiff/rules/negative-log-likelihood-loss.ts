import { labelGradient } from '../emit/class-loss.ts';
import { classLossSamples } from '../emit/class-loss-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * L = -w lp[label], reduced; dlp is -dL w at the label, zero elsewhere.
 * https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html
 */
export const negativeLogLikelihoodLoss: GradientRule = {
  op: 'NegativeLogLikelihoodLoss',
  differentiable: [0],
  samples: classLossSamples(1),
  backward: (c) => [labelGradient(c), ...c.node.inputs.slice(1).map(() => undefined)],
};
