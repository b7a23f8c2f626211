import {
  activations,
  type Direction,
  type DirectionGradient,
  overSteps,
  perStep,
  recurrent,
  recurrentSamples,
} from '../emit/recurrent.ts';
import type { GradientRule } from '../rule.ts';

const relu = { type: 'strings', value: [new TextEncoder().encode('Relu')] } as const;

/**
 * h = f(x W^T + h' R^T + bias), f tanh or relu (primes: the step before). Backwards in time da = dh f' with f' = 1 - h^2 or
 * [h > 0], dh' = da R; then dW = sum da x^T, dR = sum da h'^T, both bias halves sum da, dx = da W.
 * https://onnx.ai/onnx/operators/onnx__RNN.html
 */
export const rnn: GradientRule = {
  op: 'RNN',
  differentiable: [0, 1, 2, 3, 5],
  samples: [
    ...recurrentSamples(1, 1),
    {
      // Weights and inputs above zero keep relu away from its kink.
      name: 'relu',
      inputs: [
        [3, 2, 3],
        [1, 2, 3],
        [1, 2, 2],
      ].map((shape) => ({ shape, range: [0.2, 1] as const })),
      attributes: { hidden_size: 2, activations: relu },
      outputs: 2,
    },
  ],
  backward: (c) => {
    const bent = activations(c.node)?.[0] === 'Relu';
    return recurrent(c, (d) => direction(d, bent));
  },
};

function direction(d: Direction, bent: boolean): DirectionGradient {
  const { b, m } = d;
  const slope = perStep(b, bent ? m.mask(m.greater(d.h, 0)) : m.sub(1, m.mul(d.h, d.h)));
  const da = new Array<string>(d.steps);
  let dh: string | undefined;
  for (let t = d.steps - 1; t >= 0; t--) {
    da[t] = m.mul(dh === undefined ? d.dh[t]! : m.add(d.dh[t]!, dh), slope[t]!);
    dh = b.op('MatMul', [da[t]!, d.r]);
  }
  const all = overSteps(b, da);
  const half = b.op('ReduceSum', [all, b.ints([0, 1])], { keepdims: 0 });
  return {
    x: b.op('MatMul', [all, d.w]),
    w: d.correlate(all, d.x),
    r: d.correlate(all, d.before),
    bias: b.op('Concat', [half, half], { axis: 0 }),
    initial: [dh!],
  };
}
