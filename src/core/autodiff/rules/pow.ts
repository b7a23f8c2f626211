import { numbers } from '../../onnx/tensor.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import { binarySamples } from '../emit/binary-samples.ts';
import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';

const fixed = (
  name: string,
  exponent: number,
  range: readonly [number, number],
  away?: readonly number[],
): RuleSample => ({
  name,
  inputs: [
    { shape: [2, 3], range, ...(away ? { away } : {}) },
    { constant: [exponent], shape: [] },
  ],
});

/**
 * y = a^p, so da = dy p a^(p-1) and dp = dy y ln a. Limits that the formula misses: a^0 has slope 0 also at a = 0, and
 * 0^p has slope 0 in p. Known exponents take a cheaper road (2: 2a, 1/2: 1/(2y)).
 * The exponent may have an element type of its own. https://onnx.ai/onnx/operators/onnx__Pow.html
 */
export const pow: GradientRule = {
  op: 'Pow',
  differentiable: 'all',
  samples: [
    ...binarySamples({ first: [0.5, 2.5] }),
    fixed('square', 2, [-2, 2]),
    fixed('cube', 3, [-2, 2]),
    fixed('square root', 0.5, [0.3, 3]),
    fixed('inverse', -1, [0.5, 3]),
    fixed('to the first', 1, [-2, 2]),
    fixed('to the zeroth', 0, [-2, 2], [0]),
    {
      name: 'integer exponents',
      inputs: [
        { shape: [2, 3], range: [-2, 2], away: [0] },
        { constant: [0, 1, 3], dtype: 'int64' },
      ],
    },
  ],
  backward: (c) => [c.wants(0) ? base(c) : undefined, c.wants(1) ? exponent(c) : undefined],
};

function base(c: RuleContext): string | undefined {
  const [a, dy] = [c.x(0), c.dy(0)];
  const m = arithmetic(c.b, c.b.dtype(a));
  const power = c.b.type(c.x(1));
  const known = power.constant ?? (c.wants(1) ? undefined : power.setting);
  const values = known ? numbers(known) : [];
  if (values.length === 1) {
    const p = values[0]!;
    if (p === 0) return undefined;
    if (p === 1) return dy;
    if (p === 2) return m.mul(dy, m.mul(a, 2));
    if (p === 0.5) return m.div(m.mul(dy, 0.5), c.y(0));
    return m.mul(dy, m.mul(m.pow(a, p - 1), p));
  }
  const p = m.cast(c.x(1));
  // p = 0 at a = 0 would be 0 * 0^-1; raising to the power 0 instead keeps the product at zero.
  const less = m.where(m.equal(p, 0), 0, m.sub(p, 1));
  return m.mul(dy, m.mul(p, m.pow(a, less)));
}

function exponent(c: RuleContext): string {
  const [a, dy] = [c.x(0), c.dy(0)];
  const m = arithmetic(c.b, c.b.dtype(a));
  const log = m.log(m.add(a, m.mask(m.equal(a, 0))));
  return m.cast(m.mul(dy, m.mul(c.y(0), log)), c.b.dtype(c.x(1)));
}
