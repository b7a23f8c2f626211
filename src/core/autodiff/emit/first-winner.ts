import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';
import { arithmetic } from './arithmetic.ts';

/**
 * y = max or min of any number of inputs. Each element's gradient goes to the first input that reaches y:
 * dx_i = rest_i [x_i = y], rest_0 = dy, rest_(i+1) = rest_i - dx_i; the last input takes what is left.
 */
export function firstWinner(op: 'Max' | 'Min'): GradientRule {
  return { op, differentiable: 'all', samples, backward };
}

function backward(c: RuleContext): string[] {
  const y = c.y(0);
  const m = arithmetic(c.b, c.b.dtype(y));
  const last = c.node.inputs.length - 1;
  let rest = c.dy(0);
  return c.node.inputs.map((_, i) => {
    if (i === last) return rest;
    const gradient = m.mul(rest, m.mask(m.equal(c.x(i), y)));
    rest = m.sub(rest, gradient);
    return gradient;
  });
}

/** Ranges do not overlap within an element, so no perturbation changes the winner. */
const samples: readonly RuleSample[] = [
  { name: 'one input', inputs: [{ shape: [2, 3] }] },
  {
    name: 'a constant bound',
    inputs: [
      { shape: [2, 3], away: [0] },
      { constant: [0], shape: [] },
    ],
  },
  {
    name: 'two inputs, the second broadcast',
    inputs: [
      { shape: [3, 4], range: [-2, 2], away: [0, 0.1, 0.2] },
      { shape: [4], range: [0.05, 0.15] },
    ],
  },
  {
    name: 'three inputs',
    inputs: [
      { shape: [3, 4], range: [-2, 2], away: [-0.5, -0.4, -0.3, 0.3, 0.4, 0.5] },
      { shape: [3, 1], range: [-0.45, -0.35] },
      { shape: [], range: [0.35, 0.45] },
    ],
  },
];
