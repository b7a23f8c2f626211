import { floats, intAttribute, intsAttribute, stringAttribute } from '../attributes.ts';
import type { Attribute, Dim } from '../model.ts';
import { axisOf, dtypeOf, elementsOf, misfit, rankedShape, settingOf, shapeOf } from './context.ts';
import { define, ints, sample, stored } from './define.ts';
import { isKnown, mapDim, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/** Resampling images by scales or to sizes. */

const floatsOf = (attribute: Attribute | undefined): readonly number[] | undefined =>
  attribute?.type === 'floats' ? attribute.value : undefined;

/** Inputs since 11: x, roi, scales, sizes (10: x, scales); Upsample: scales as attribute (7) or input 1 (9). */
function inferResize(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const dtype = dtypeOf(c, 0);
  if (!x) return [{ dtype, shape: undefined }];
  const old = c.opset < 11 || c.node.op === 'Upsample';
  const given = old ? (floatsOf(c.node.attributes.scales) ?? settingOf(c, 1)) : settingOf(c, 2);
  const scales = given?.length ? given : undefined;
  const sizes = old ? undefined : elementsOf(c.inputs[3]);
  const axes = intsAttribute(c.node, 'axes')?.map((axis) => axisOf(c, axis, x.length)) ?? x.map((_, i) => i);
  if (!scales && !sizes) return [{ dtype, shape: x.map((dim, i) => (axes.includes(i) ? '' : dim)) }];
  const count = (scales ?? sizes)!.length;
  if (count !== axes.length) misfit(c, `${count} scales or sizes for ${axes.length} axes of ${showShape(x)}`);
  const shape = [...x];
  const fit =
    sizes &&
    keepRatio(
      c,
      axes.map((axis) => x[axis]!),
      sizes,
    );
  axes.forEach((axis, i) => {
    const dim = x[axis]!;
    if (!scales) shape[axis] = fit ? fit[i]! : sizes![i]!;
    else if (scales[i] !== 1)
      shape[axis] = mapDim(dim, (d) => Math.floor(Math.fround(d * Math.fround(scales[i]!))));
  });
  return [{ dtype, shape }];
}

/** keep_aspect_ratio_policy: one scale for all axes, the smallest or largest of those asked for. */
function keepRatio(c: InferContext, from: readonly Dim[], sizes: readonly Dim[]): readonly Dim[] | undefined {
  const policy = stringAttribute(c.node, 'keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return undefined;
  if (!from.every(isKnown) || !sizes.every(isKnown)) return from.map(() => '');
  const scales = sizes.map((size, i) => size / from[i]!);
  const scale = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
  return from.map((size) => Math.floor(size * scale + 0.5));
}

/** x [N, C, H, W], grid [N, Ho, Wo, 2] -> [N, C, Ho, Wo] (and likewise in 3-D). */
function inferGridSample(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 3);
  const grid = rankedShape(c, 1, 3);
  const shape = x && grid && [x[0]!, x[1]!, ...grid.slice(1, -1)];
  return [{ dtype: dtypeOf(c, 0), shape }];
}

/** theta [N, 2, 3] and size [N, C, H, W] -> grid [N, H, W, 2]. */
function inferAffineGrid(c: InferContext): ValueType[] {
  const size = elementsOf(c.inputs[1]);
  return [{ dtype: dtypeOf(c, 0), shape: size && [size[0]!, ...size.slice(2), size.length - 2] }];
}

/** x [N, C, H, W], rois [R, 4] -> [R, C, output_height, output_width]. */
function inferRoiAlign(c: InferContext): ValueType[] {
  const size = (name: string): number => intAttribute(c.node, name, 1);
  const shape = [
    shapeOf(c, 1)?.[0] ?? '',
    shapeOf(c, 0)?.[1] ?? '',
    size('output_height'),
    size('output_width'),
  ];
  return [{ dtype: dtypeOf(c, 0), shape }];
}

const samples = {
  AffineGrid: [sample([[2, 2, 3], ints(2, 3, 4, 5)], {}, { opset: 20 })],
  GridSample: [
    sample([
      [1, 2, 4, 4],
      [1, 3, 5, 2],
    ]),
  ],
  Resize: [
    sample([[1, 2, 4, 5], '', stored('float32', [4], [1, 1, 2, 1.5])]),
    sample([[1, 2, 4, 5], '', stored('float32', [4], [1, 1, 0.6, 0.3])], { mode: 'linear' }),
    sample([[1, 2, 4, 5], '', '', ints(1, 2, 7, 3)], { mode: 'linear' }),
    sample([[1, 2, 4, 5], '', '', ints(8, 8)], { axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }),
    sample([[1, 2, 4, 5], stored('float32', [4], [1, 1, 2, 2])], {}, { opset: 10 }),
  ],
  RoiAlign: [sample([[1, 2, 6, 6], [3, 4], ints(0, 0, 0)], { output_height: 2, output_width: 3 })],
  Upsample: [
    sample([[1, 2, 4, 5], stored('float32', [4], [1, 1, 2, 3])], {}, { opset: 9 }),
    sample([[1, 2, 4, 5]], { scales: floats([1, 1, 2, 3]) }, { opset: 7 }),
  ],
};

export const resize = define(
  [
    { op: 'AffineGrid', infer: inferAffineGrid },
    { op: 'GridSample', infer: inferGridSample },
    { op: 'Resize', infer: inferResize },
    { op: 'RoiAlign', infer: inferRoiAlign },
    { op: 'Upsample', infer: inferResize },
  ],
  samples,
);
