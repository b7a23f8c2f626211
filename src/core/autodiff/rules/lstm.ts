import { isUnusualLstm, lstm as lstmSteps } from '../compositions/lstm.ts';
import {
  type Direction,
  type DirectionGradient,
  gates,
  overSteps,
  perStep,
  recurrent,
  recurrentSamples,
  refuseUnusual,
} from '../emit/recurrent.ts';
import { sumLeading } from '../emit/sum-leading.ts';
import type { GradientRule, RuleSample, SampleInput } from '../rule.ts';

/**
 * a = x W^T + h' R^T + bias, split into i, o, f, g; i, o, f through sigmoid, g through tanh; c = f c' + i g, h = o tanh(c)
 * (primes: the step before). Backwards in time, with u = tanh(c):
 * dc = dc_next f_next + dh o (1 - u^2), da = [dc g i(1-i), dh u o(1-o), dc c' f(1-f), dc i (1-g^2)], dh' = da R.
 * Then dW = sum da x^T, dR = sum da h'^T, both bias halves sum da, dx = da W. With peepholes or coupled gates: step by step.
 * https://onnx.ai/onnx/operators/onnx__LSTM.html
 */
export const lstm: GradientRule = {
  op: 'LSTM',
  differentiable: [0, 1, 2, 3, 5, 6, 7],
  samples: [...recurrentSamples(4, 2), ...unusualSamples()],
  backward: (c) => {
    if (!isUnusualLstm(c.node)) return recurrent(c, direction);
    refuseUnusual(c);
    return c.through(lstmSteps);
  },
};

function direction(d: Direction): DirectionGradient {
  const { b, m } = d;
  const a = m.add(m.add(d.times(d.x, d.w), d.times(d.before, d.r)), m.add(d.wb, d.rb));
  const [ai, ao, af, ag] = gates(b, a, d.hidden) as [string, string, string, string];
  const [i, o, f, g] = [m.sigmoid(ai), m.sigmoid(ao), m.sigmoid(af), m.tanh(ag)];

  const [forget, gain] = [perStep(b, f), perStep(b, m.mul(i, g))];
  const cells = [d.initial(1)];
  for (let t = 0; t < d.steps; t++) cells.push(m.add(m.mul(forget[t]!, cells[t]!), gain[t]!));
  const u = m.tanh(overSteps(b, cells.slice(1)));
  const earlier = overSteps(b, cells.slice(0, -1));

  const bend = (s: string) => m.mul(s, m.sub(1, s));
  const rest = (s: string) => m.sub(1, m.mul(s, s));
  const through = perStep(b, m.mul(o, rest(u)));
  const factors = [m.mul(g, bend(i)), m.mul(u, bend(o)), m.mul(earlier, bend(f)), m.mul(i, rest(g))];
  const [ki, ko, kf, kg] = factors.map((factor) => perStep(b, factor)) as [
    string[],
    string[],
    string[],
    string[],
  ];

  const da = new Array<string>(d.steps);
  let [dh, dc]: (string | undefined)[] = [undefined, d.dc];
  for (let t = d.steps - 1; t >= 0; t--) {
    const dht = dh === undefined ? d.dh[t]! : m.add(d.dh[t]!, dh);
    const direct = m.mul(dht, through[t]!);
    const dct = dc === undefined ? direct : m.add(direct, dc);
    const parts = [m.mul(dct, ki[t]!), m.mul(dht, ko[t]!), m.mul(dct, kf[t]!), m.mul(dct, kg[t]!)];
    da[t] = b.op('Concat', parts, { axis: 1 });
    dh = b.op('MatMul', [da[t]!, d.r]);
    dc = m.mul(dct, forget[t]!);
  }
  const all = overSteps(b, da);
  const half = sumLeading(b, all, 2);
  return {
    x: b.op('MatMul', [all, d.w]),
    w: d.correlate(all, d.x),
    r: d.correlate(all, d.before),
    bias: b.op('Concat', [half, half], { axis: 0 }),
    initial: [dh!, dc!],
  };
}

/** Peepholes with everything and with nothing else; coupled gates. */
function unusualSamples(): RuleSample[] {
  const [steps, batch, inputs, hidden] = [3, 2, 3, 2];
  const sample = (
    name: string,
    direction: string,
    optional: (directions: number) => readonly SampleInput[],
    attributes: RuleSample['attributes'] = {},
  ): RuleSample => {
    const directions = direction === 'bidirectional' ? 2 : 1;
    const weights = [inputs, hidden].map((size) => ({ shape: [directions, 4 * hidden, size] }));
    return {
      name,
      inputs: [{ shape: [steps, batch, inputs] }, ...weights, ...optional(directions)],
      attributes: { hidden_size: hidden, direction, ...attributes },
      outputs: 3,
    };
  };
  const full = (directions: number): readonly SampleInput[] => {
    const state = { shape: [directions, batch, hidden] };
    return [
      { shape: [directions, 8 * hidden] },
      'omitted',
      state,
      state,
      { shape: [directions, 3 * hidden] },
    ];
  };
  const bare = (): readonly SampleInput[] => [
    'omitted',
    'omitted',
    'omitted',
    'omitted',
    { shape: [1, 3 * hidden] },
  ];
  return [
    sample('peepholes alone', 'forward', bare),
    sample('peepholes, reverse', 'reverse', full),
    sample('peepholes, both ways', 'bidirectional', full),
    sample('coupled gates', 'forward', (directions) => full(directions).slice(0, 4), { input_forget: 1 }),
    sample('coupled gates with peepholes', 'forward', full, { input_forget: 1 }),
  ];
}
