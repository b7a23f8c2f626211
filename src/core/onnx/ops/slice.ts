import { intsAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { axisOf, dtypeOf, elementsOf, given, integersOf, misfit, shapeOf } from './context.ts';
import { define, ints, sample } from './define.ts';
import { isKnown, showShape } from './dims.ts';
import { movedType, sourceMap } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Cutting out and padding boxes. */

interface Cut {
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/** Per-axis cuts: attributes before 10, inputs after. Undefined if the axes themselves are unknown. */
function cutsOf(c: InferContext, rank: number): Map<number, Cut> | undefined {
  const old = c.opset < 10;
  const starts = old ? intsAttribute(c.node, 'starts') : elementsOf(c.inputs[1]);
  const ends = old ? intsAttribute(c.node, 'ends') : elementsOf(c.inputs[2]);
  const count = starts?.length ?? ends?.length;
  const listed = old ? intsAttribute(c.node, 'axes') : given(c, 3) ? integersOf(c, 3) : undefined;
  const steps = !old && given(c, 4) ? integersOf(c, 4) : undefined;
  if ((!old && given(c, 3) && !listed) || (!old && given(c, 4) && !steps)) return undefined;
  if (count === undefined && !listed) return undefined;
  const axes = listed ?? Array.from({ length: count! }, (_, i) => i);
  return new Map(
    axes.map((axis, i) => [
      axisOf(c, axis, rank),
      { start: starts?.[i] ?? '', end: ends?.[i] ?? '', step: steps?.[i] ?? 1 },
    ]),
  );
}

/** First index and length along an axis; bounds are clamped as numpy does. */
function along(dim: Dim, cut: Cut): { readonly from: number; readonly size: Dim } {
  const { start, end, step } = cut;
  if (start === 0 && step === 1 && (end === dim || (isKnown(end) && end >= 2 ** 31 - 1)))
    return { from: 0, size: dim };
  if (!isKnown(dim) || !isKnown(start) || !isKnown(end)) {
    // A cut that begins k before the end of an unknown axis and runs to it is at most k long: unknown all the same.
    return { from: 0, size: '' };
  }
  const clamp = (value: number, low: number, high: number): number =>
    Math.max(low, Math.min(high, value < 0 ? value + dim : value));
  const from = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
  const to = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
  return { from, size: Math.max(0, Math.ceil((to - from) / step)) };
}

function inferSlice(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const dtype = dtypeOf(c, 0);
  if (!x) return [{ dtype, shape: undefined }];
  const cuts = cutsOf(c, x.length);
  if (!cuts) return [{ dtype, shape: x.map(() => '') }];
  const ranges = x.map((dim, axis) => {
    const cut = cuts.get(axis);
    if (cut?.step === 0) misfit(c, 'a step is zero');
    return { ...(cut ? along(dim, cut) : { from: 0, size: dim }), step: cut?.step ?? 1 };
  });
  const shape = ranges.map((range) => range.size);
  return [
    movedType(c.inputs[0], shape, () =>
      sourceMap(shape as number[], x as number[], (index) =>
        index.map((at, axis) => ranges[axis]!.from + at * ranges[axis]!.step),
      ),
    ),
  ];
}

/** Pads: attribute before 11 (`paddings` before 2), then input 1, for all axes or those of input 3 (since 18). */
function paddedShape(c: InferContext, x: Shape): Shape {
  const pads =
    c.opset < 11 ? (intsAttribute(c.node, 'pads') ?? intsAttribute(c.node, 'paddings')) : integersOf(c, 1);
  const axes = given(c, 3) ? integersOf(c, 3) : x.map((_, i) => i);
  if (!pads || !axes) return x.map(() => '');
  if (pads.length !== 2 * axes.length)
    misfit(c, `${pads.length} pads for ${axes.length} axes of ${showShape(x)}`);
  const extra = new Map(
    axes.map((axis, i) => [axisOf(c, axis, x.length), pads[i]! + pads[i + axes.length]!]),
  );
  return x.map((dim, axis): Dim => {
    const more = extra.get(axis) ?? 0;
    if (more === 0) return dim;
    if (!isKnown(dim)) return '';
    return dim + more >= 0 ? dim + more : misfit(c, `pads cut ${-more} from axis ${axis} of ${showShape(x)}`);
  });
}

function inferPad(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  return [{ dtype: dtypeOf(c, 0), shape: x && paddedShape(c, x) }];
}

const samples = {
  Pad: [
    sample([[2, 3], ints(0, 1, 1, 0)]),
    sample([[2, 3, 4], ints(1, 2), '', ints(-1)]),
    sample([[4, 3], ints(-1, 0, -1, 2)]),
    sample([[2, 3]], { pads: [0, 1, 1, 0] }, { opset: 10 }),
  ],
  Slice: [
    sample([[4, 5], ints(1, -1), ints(3, -6), ints(0, 1), ints(1, -2)]),
    sample([[4, 5], ints(-3), ints(2 ** 31), ints(1)]),
    sample([ints(1, 2, 3, 4, 5), ints(-1), ints(-4), ints(0), ints(-1)]),
    sample([[4, 5]], { starts: [1], ends: [-1], axes: [1] }, { opset: 9 }),
  ],
};

export const slice = define(
  [
    { op: 'Pad', infer: inferPad },
    { op: 'Slice', infer: inferSlice },
  ],
  samples,
);
