import { intAttribute, intsAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { axesOf, axisOf, elementsOf, lengthOf, misfit, shapeOf } from './context.ts';
import { define, ints, sample, scalar } from './define.ts';
import { isKnown, isStatic, productOf, quotientOf, showShape } from './dims.ts';
import { reshapedType } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Operators that keep all elements in order and change the shape. */

/** Target shape: an attribute before 5, then input 1. 0 copies the input's dimension unless allowzero; -1 is the rest. */
function reshaped(c: InferContext): Shape | undefined {
  const x = shapeOf(c, 0);
  const target = c.opset < 5 ? intsAttribute(c.node, 'shape') : elementsOf(c.inputs[1]);
  if (!target) {
    const rank = lengthOf(c, 1);
    return rank === undefined ? undefined : new Array<string>(rank).fill('');
  }
  const copyZero = intAttribute(c.node, 'allowzero', 0) === 0;
  const out = target.map((dim, i): Dim => {
    if (dim !== 0 || !copyZero) return dim;
    if (x && i >= x.length) misfit(c, `0 at position ${i} copies a dimension that ${showShape(x)} lacks`);
    return x?.[i] ?? '';
  });
  const rest = out.indexOf(-1);
  // A second unknown may itself be the -1 that was meant: nothing can be concluded then.
  if (rest < 0) return checked(c, x, out);
  if (out.lastIndexOf(-1) !== rest) misfit(c, `${showShape(target)} holds -1 more than once`);
  const others = out.filter((_, i) => i !== rest);
  const size = x ? quotientOf(x, others) : '';
  if (size === undefined) misfit(c, `${showShape(x)} cannot be reshaped to ${showShape(target)}`);
  return out.map((dim, i) => (i === rest ? size : dim));
}

function checked(c: InferContext, x: Shape | undefined, out: Shape): Shape {
  if (isStatic(x) && isStatic(out) && productOf(x) !== productOf(out)) {
    misfit(c, `${showShape(x)} cannot be reshaped to ${showShape(out)}`);
  }
  return out;
}

/** To 2-D: the product of the axes before `axis`, and of the rest. */
function flattened(c: InferContext): Shape {
  const x = shapeOf(c, 0);
  if (!x) return ['', ''];
  const axis = intAttribute(c.node, 'axis', 1);
  const at = axis === x.length ? axis : axisOf(c, axis, x.length);
  return [productOf(x.slice(0, at)), productOf(x.slice(at))];
}

function squeezed(c: InferContext): Shape | undefined {
  const x = shapeOf(c, 0);
  const axes = axesOf(c, 1);
  if (!x || axes === 'unknown') return undefined;
  if (!axes) return x.every(isKnown) ? x.filter((dim) => dim !== 1) : undefined;
  const drop = axes.map((axis) => axisOf(c, axis, x.length));
  for (const axis of drop) {
    const dim = x[axis]!;
    if (isKnown(dim) && dim !== 1) misfit(c, `axis ${axis} of ${showShape(x)} is not 1`);
  }
  return x.filter((_, i) => !drop.includes(i));
}

function unsqueezed(c: InferContext): Shape | undefined {
  const x = shapeOf(c, 0);
  const axes = axesOf(c, 1);
  if (!x || axes === 'unknown') return undefined;
  if (!axes) misfit(c, 'axes are missing');
  const rank = x.length + axes.length;
  const at = new Set(axes.map((axis) => axisOf(c, axis, rank)));
  if (at.size !== axes.length) misfit(c, `axes [${axes.join(', ')}] repeat`);
  const rest = [...x];
  return Array.from({ length: rank }, (_, i): Dim => (at.has(i) ? 1 : rest.shift()!));
}

const reshaping =
  (shape: (c: InferContext) => Shape | undefined) =>
  (c: InferContext): ValueType[] => [reshapedType(c.inputs[0], shape(c))];

const samples = {
  Flatten: [sample([[2, 3, 4]]), sample([[2, 3, 4]], { axis: -1 }), sample([[2, 3]], { axis: 0 })],
  Reshape: [
    sample([[2, 3, 4], ints(0, -1)]),
    sample([[2, 3, 4], ints(4, 3, 2)]),
    sample([ints(1, 2, 3, 4), ints(2, 2)]),
    sample([[0, 3], ints(0, 5)], { allowzero: 1 }),
  ],
  Squeeze: [
    sample([[1, 3, 1]]),
    sample([[1, 3, 1], ints(-1)]),
    sample([[1, 3, 1]], { axes: [0] }, { opset: 11 }),
    sample([ints(7)]),
  ],
  Unsqueeze: [
    sample([[3], ints(0, -1)]),
    sample([[3]], { axes: [1] }, { opset: 11 }),
    sample([scalar('int64', 7), ints(0)]),
  ],
};

export const reshape = define(
  [
    { op: 'Flatten', infer: reshaping(flattened) },
    { op: 'Reshape', infer: reshaping(reshaped) },
    { op: 'Squeeze', infer: reshaping(squeezed) },
    { op: 'Unsqueeze', infer: reshaping(unsqueezed) },
  ],
  samples,
);
