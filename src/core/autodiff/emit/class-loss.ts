import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { RuleContext } from '../rule.ts';
import { arithmetic } from './arithmetic.ts';

/**
 * Both class losses are L_n = -w_n lp[n, label_n] over log-probabilities lp [N, C, rest...] and labels [N, rest...], with
 * w_n = weights[label_n] (default 1), 0 for the ignored label; reduction none, sum, or mean (divided by sum of w).
 * So dlp = -dL_n w_n (/ sum of w) at the label, zero elsewhere: a comparison of the labels with 0..C-1, which also
 * leaves labels outside the classes at zero.
 */
export function labelGradient(c: RuleContext): string {
  const { b, node } = c;
  const [scores, labels] = [c.x(0), c.x(1)];
  const m = arithmetic(b, b.dtype(scores));
  const dims = b.dims(scores);
  const type = b.dtype(labels);
  const ignored = intAttribute(node, 'ignore_index');
  const kept =
    ignored === undefined ? undefined : b.op('Not', [b.op('Equal', [labels, b.constant(ignored, type)])]);

  let weight = kept && m.mask(kept);
  if (c.hasX(2)) {
    const safe = kept ? b.op('Where', [kept, labels, b.constant(0, type)]) : labels;
    const own = b.op('Gather', [c.x(2), safe]);
    weight = weight ? m.mul(own, weight) : own;
  }
  const reduction = stringAttribute(node, 'reduction', 'mean');
  let share = m.neg(c.dy(0));
  if (reduction === 'mean') {
    const count = b.dims(labels).reduce((product, dim) => product * dim, 1);
    share = weight ? m.div(share, b.op('ReduceSum', [weight], { keepdims: 0 })) : m.mul(share, 1 / count);
  }
  if (weight) share = m.mul(share, weight);

  const classes = Array.from({ length: dims[1]! }, (_, i) => i);
  const column = b.constant(classes, type, [dims[1]!, ...dims.slice(2).map(() => 1)]);
  const hot = m.mask(b.op('Equal', [b.op('Unsqueeze', [labels, b.ints([1])]), column]));
  const perLabel = b.dims(share).length === 0 ? share : b.op('Unsqueeze', [share, b.ints([1])]);
  return m.mul(hot, perLabel);
}
