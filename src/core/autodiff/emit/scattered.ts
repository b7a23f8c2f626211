import { RetortError } from '../../../errors.ts';
import { stringAttribute } from '../../onnx/attributes.ts';
import type { RuleContext } from '../rule.ts';

/**
 * The two gradients of y = data with updates written (reduction none) or added at indices:
 * d(data) = dy, with the overwritten places zeroed; d(updates) = dy picked at the indices.
 * Indices that come twice without a reduction have no defined result, so none is defined here.
 */
export function scattered(
  c: RuleContext,
  pick: (dy: string) => string,
  overwrite: (dy: string, zeros: string) => string,
): (string | undefined)[] {
  const { b } = c;
  const reduction = stringAttribute(c.node, 'reduction', 'none');
  if (reduction !== 'none' && reduction !== 'add') {
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `${c.node.op} "${c.node.name}": reduction ${reduction} has no gradient rule`,
    );
  }
  const dy = c.dy(0);
  const zeros = () => b.op('Expand', [b.constant(0, b.dtype(dy)), b.ints(b.dims(c.x(2)))]);
  const ddata = reduction === 'add' ? dy : c.wants(0) ? overwrite(dy, zeros()) : undefined;
  return [ddata, undefined, c.wants(2) ? pick(dy) : undefined];
}
