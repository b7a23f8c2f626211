import { intAttribute } from '../../onnx/attributes.ts';
import {
  type Direction,
  type DirectionGradient,
  gates,
  overSteps,
  perStep,
  recurrent,
  recurrentSamples,
} from '../emit/recurrent.ts';
import { sumLeading } from '../emit/sum-leading.ts';
import type { GradientRule } from '../rule.ts';

/**
 * z, r = sigmoid of x W^T + h' R^T + bias; n = tanh(x Wn^T + bias_w + q) with q = r (h' Rn^T + bias_r), or, without
 * linear_before_reset, q = (r h') Rn^T + bias_r; h = (1 - z) n + z h' (primes: the step before). Backwards in time:
 * dz = dh (h' - n) z(1-z), dn = dh (1-z)(1-n^2); with s = h' Rn^T + bias_r:
 * before reset dr = dn s r(1-r), ds = dn r, dh' = dh z + [dz, dr] Rzr + ds Rn;
 * else dv = dn Rn, dr = dv h' r(1-r), dh' = dh z + [dz, dr] Rzr + dv r. https://onnx.ai/onnx/operators/onnx__GRU.html
 */
export const gru: GradientRule = {
  op: 'GRU',
  differentiable: [0, 1, 2, 3, 5],
  samples: [
    ...recurrentSamples(3, 1),
    ...recurrentSamples(3, 1).map((sample) => ({
      ...sample,
      name: `${sample.name}, linear before reset`,
      attributes: { ...sample.attributes, linear_before_reset: 1 },
    })),
  ],
  backward: (c) => {
    const linear = intAttribute(c.node, 'linear_before_reset', 0) === 1;
    return recurrent(c, (d) => direction(d, linear));
  },
};

function direction(d: Direction, linear: boolean): DirectionGradient {
  const { b, m, hidden } = d;
  const rows = b.ints([2 * hidden, hidden]);
  const [rzr, rn] = b.ops('Split', [d.r, rows], { axis: 0 }, { outputs: 2 }) as [string, string];
  const [rbzr, rbn] = b.ops('Split', [d.rb, rows], { axis: 0 }, { outputs: 2 }) as [string, string];
  const [xz, xr, xn] = gates(b, m.add(d.times(d.x, d.w), d.wb), hidden) as [string, string, string];
  const [hz, hr] = gates(b, m.add(d.times(d.before, rzr), rbzr), hidden) as [string, string];
  const [z, r] = [m.sigmoid(m.add(xz, hz)), m.sigmoid(m.add(xr, hr))];
  const gated = m.mul(r, d.before);
  const s = m.add(d.times(linear ? d.before : gated, rn), rbn);
  const n = m.tanh(m.add(xn, linear ? m.mul(r, s) : s));

  const bend = (gate: string) => m.mul(gate, m.sub(1, gate));
  const kz = perStep(b, m.mul(m.sub(d.before, n), bend(z)));
  const kn = perStep(b, m.mul(m.sub(1, z), m.sub(1, m.mul(n, n))));
  const kr = perStep(b, m.mul(linear ? s : d.before, bend(r)));
  const [keep, reset] = [perStep(b, z), perStep(b, r)];

  const dzr = new Array<string>(d.steps);
  const dn = new Array<string>(d.steps);
  let dh: string | undefined;
  for (let t = d.steps - 1; t >= 0; t--) {
    const dht = dh === undefined ? d.dh[t]! : m.add(d.dh[t]!, dh);
    dn[t] = m.mul(dht, kn[t]!);
    const dv = linear ? dn[t]! : b.op('MatMul', [dn[t]!, rn]);
    dzr[t] = b.op('Concat', [m.mul(dht, kz[t]!), m.mul(dv, kr[t]!)], { axis: 1 });
    const scaled = m.mul(dv, reset[t]!);
    const direct = m.add(m.mul(dht, keep[t]!), linear ? b.op('MatMul', [scaled, rn]) : scaled);
    dh = m.add(direct, b.op('MatMul', [dzr[t]!, rzr]));
  }
  const [gateSide, newSide] = [overSteps(b, dzr), overSteps(b, dn)];
  const inputSide = b.op('Concat', [gateSide, newSide], { axis: 2 });
  const recurrentNew = linear ? m.mul(newSide, r) : newSide;
  const total = (value: string) => sumLeading(b, value, 2);
  return {
    x: b.op('MatMul', [inputSide, d.w]),
    w: d.correlate(inputSide, d.x),
    r: b.op(
      'Concat',
      [d.correlate(gateSide, d.before), d.correlate(recurrentNew, linear ? d.before : gated)],
      { axis: 0 },
    ),
    bias: b.op('Concat', [total(inputSide), total(gateSide), total(recurrentNew)], { axis: 0 }),
    initial: [dh!],
  };
}
