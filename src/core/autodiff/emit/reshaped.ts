import type { GradientRule, RuleSample } from '../rule.ts';

/** The rule of an operator that only rewrites the dimensions: dx = dy in the shape of x. */
export const reshaped = (op: string, samples: readonly RuleSample[]): GradientRule => ({
  op,
  differentiable: [0],
  samples,
  backward: (c) => [
    c.b.op('Reshape', [c.dy(0), c.b.ints(c.b.dims(c.x(0)))]),
    ...c.node.inputs.slice(1).map(() => undefined),
  ],
});
