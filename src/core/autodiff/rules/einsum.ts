import { einsumEquation } from '../emit/einsum-equation.ts';
import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';

const sample = (equation: string, ...shapes: readonly (readonly number[])[]): RuleSample => ({
  name: equation,
  inputs: shapes.map((shape) => ({ shape })),
  attributes: { equation },
});

/**
 * y[result] = sum over the other labels of the product of the operands; so the gradient of operand i is another Einsum:
 * dy times the other operands, summed to the labels of i. Labels that only i has were summed away with nothing beside
 * them: the gradient is stretched along those. https://onnx.ai/onnx/operators/onnx__Einsum.html
 */
export const einsum: GradientRule = {
  op: 'Einsum',
  differentiable: 'all',
  samples: [
    sample('ij,jk->ik', [2, 3], [3, 2]),
    sample('bhid,bhjd->bhij', [2, 1, 2, 3], [2, 1, 3, 3]),
    sample('ij->ji', [2, 3]),
    sample('ij->j', [2, 3]),
    sample('ij->', [2, 3]),
    sample('i,j->ij', [2], [3]),
    sample('ij,ik,i->jk', [2, 3], [2, 2], [2]),
    sample('ij,jk', [2, 3], [3, 2]),
    sample('...ij,...jk->...ik', [2, 2, 3], [2, 3, 2]),
    sample('...ij,jk->...ik', [2, 2, 3], [3, 2]),
    sample('ij,kl->il', [2, 3], [2, 2]),
  ],
  backward: (c) => c.node.inputs.map((_, i) => (c.wants(i) ? gradient(c, i) : undefined)),
};

function gradient(c: RuleContext, i: number): string {
  const { b } = c;
  const { operands, result } = einsumEquation(c);
  const letters = new Map<string, string>();
  const name = (labels: readonly string[]) =>
    labels
      .map((label) => {
        if (!letters.has(label)) letters.set(label, String.fromCharCode(97 + letters.size));
        return letters.get(label)!;
      })
      .join('');
  const own = operands[i]!;
  const others = operands.map((_, j) => j).filter((j) => j !== i);
  const beside = new Set([...result, ...others.flatMap((j) => operands[j]!)]);
  const reachable = own.filter((label) => beside.has(label));

  const terms = [result, ...others.map((j) => operands[j]!)].map(name);
  const equation = `${terms.join(',')}->${name(reachable)}`;
  const dx = b.op('Einsum', [c.dy(0), ...others.map((j) => c.x(j))], { equation });
  if (reachable.length === own.length) return dx;

  const dims = b.dims(c.x(i));
  const kept = b.dims(dx);
  const lifted = own.map((label) => (beside.has(label) ? kept[reachable.indexOf(label)]! : 1));
  const stretched = own.map((label, axis) =>
    beside.has(label) ? kept[reachable.indexOf(label)]! : dims[axis]!,
  );
  return b.op('Expand', [b.op('Reshape', [dx, b.ints(lifted)]), b.ints(stretched)]);
}
