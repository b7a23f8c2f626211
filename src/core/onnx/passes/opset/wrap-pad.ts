import type { Node } from '../../model.ts';
import { numbers } from '../../tensor.ts';
import type { Rewriter } from '../rewriter.ts';
import { rankOf, unsupported } from './converter.ts';

/** Pad in mode wrap (19), axis by axis: the end of the axis, the axis, its beginning, as one Concat. */
export function wrapPad(node: Node, r: Rewriter): true {
  const [x, pads, , listed] = node.inputs;
  const rank = rankOf(node, r);
  const known = (name: string | undefined): number[] => {
    const value = name && r.type(name).constant;
    return value ? numbers(value) : unsupported(node, r, 'pads and axes of mode wrap must be constants');
  };
  const sizes = known(pads);
  const axes = listed
    ? known(listed).map((axis) => (axis < 0 ? axis + rank : axis))
    : [...Array(rank).keys()];
  const shape = r.type(x!).shape!;
  let value = x!;
  const cut = (axis: number, start: number, end: number): string =>
    r.op('Slice', [value, r.ints([start]), r.ints([end]), r.ints([axis])]);
  axes.forEach((axis, i) => {
    const [before, after, dim] = [sizes[i]!, sizes[i + axes.length]!, shape[axis]];
    if (before === 0 && after === 0) return;
    if (typeof dim !== 'number' || before < 0 || after < 0 || Math.max(before, after) > dim)
      unsupported(
        node,
        r,
        `mode wrap pads axis ${axis} by ${before} and ${after}, which needs more than one turn`,
      );
    const parts = [
      before > 0 ? cut(axis, dim - before, dim) : '',
      value,
      after > 0 ? cut(axis, 0, after) : '',
    ];
    value = r.op('Concat', parts.filter(Boolean), { axis });
  });
  r.op('Identity', [value], {}, node.outputs);
  return true;
}
