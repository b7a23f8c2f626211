import { RetortError } from '../../../errors.ts';
import { float, intsAttribute, stringAttribute } from '../../onnx/attributes.ts';
import { dtypes } from '../../onnx/dtype.ts';
import { numbers, sizeOf } from '../../onnx/tensor.ts';
import { normalAxis } from '../emit/axis.ts';
import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';

const byScales = (name: string, scales: readonly number[], attributes: RuleSample['attributes']) => ({
  name,
  inputs: [{ shape: [2, 2, 3, 4] }, 'omitted' as const, { constant: scales, dtype: 'float32' as const }],
  attributes: { ...attributes },
});

/**
 * Resizing is linear in x and works axis by axis: y = W x with weights W[m, l] of input l in output m; so dx = dy W along
 * each axis. W is what the operator itself makes of an identity matrix, which holds for every interpolation, rounding
 * and coordinate mode; it is constant and folded before training starts.
 * https://onnx.ai/onnx/operators/onnx__Resize.html
 */
export const resize: GradientRule = {
  op: 'Resize',
  differentiable: [0],
  samples: [
    byScales('nearest, twice', [1, 1, 2, 2], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
    byScales('linear, half pixel, uneven', [1, 1, 1.5, 2], { mode: 'linear' }),
    byScales('linear, smaller', [1, 1, 0.67, 0.5], { mode: 'linear' }),
    byScales('cubic', [1, 1, 2, 2], { mode: 'cubic', cubic_coeff_a: float(-0.75) }),
    {
      name: 'linear to sizes, corners aligned',
      inputs: [{ shape: [1, 2, 3, 4] }, 'omitted', 'omitted', { constant: [1, 2, 5, 7], dtype: 'int64' }],
      attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    },
    {
      name: 'one axis by sizes',
      inputs: [{ shape: [1, 2, 3, 4] }, 'omitted', 'omitted', { constant: [6], dtype: 'int64' }],
      attributes: { mode: 'nearest', axes: [2] },
    },
    {
      name: 'sizes that keep the aspect ratio',
      inputs: [{ shape: [1, 2, 4, 5] }, 'omitted', 'omitted', { constant: [8, 8], dtype: 'int64' }],
      attributes: { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
    },
  ],
  backward: (c) => [gradient(c), ...c.node.inputs.slice(1).map(() => undefined)],
};

function gradient(c: RuleContext): string {
  const { b, node } = c;
  const [from, to] = [b.dims(c.x(0)), b.dims(c.y(0))];
  const crop = stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel');
  if (from[0] !== to[0] || crop === 'tf_crop_and_resize') {
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `Resize "${node.name}": no gradient rule for cropping or for resizing the first axis`,
    );
  }
  const axes = intsAttribute(node, 'axes')?.map((axis) => normalAxis(axis, from.length));
  const given = c.hasX(2) ? numbers(c.constant(2)) : sharedScale(c, axes ?? from.map((_, i) => i));
  const scaleOf = (axis: number): number | undefined => given[axes ? axes.indexOf(axis) : axis];
  return from.reduce((dy, length, axis) => {
    if (to[axis] === length && (scaleOf(axis) ?? 1) === 1) return dy;
    const weights = weightsOf(c, axis, length, to[axis]!, scaleOf(axis));
    const done = b.dims(dy);
    const outer = sizeOf(done.slice(0, axis));
    const inner = sizeOf(done.slice(axis + 1));
    const slab = b.op('Reshape', [dy, b.ints([outer, to[axis]!, inner])]);
    const dx = b.op('MatMul', [weights, slab]);
    return b.op('Reshape', [dx, b.ints(done.map((dim, i) => (i === axis ? length : dim)))]);
  }, c.dy(0));
}

/** The scales of sizes that keep the aspect ratio: one for all axes, where by it they come out at these sizes. */
function sharedScale({ b, node, x, y, constant }: RuleContext, axes: readonly number[]): number[] {
  const policy = stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return [];
  const [from, to, sizes] = [b.dims(x(0)), b.dims(y(0)), numbers(constant(3))];
  const ratios = axes.map((axis, i) => sizes[i]! / from[axis]!);
  const scale = Math.fround(policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios));
  if (axes.every((axis) => Math.floor(Math.fround(from[axis]! * scale)) === to[axis]))
    return axes.map(() => scale);
  throw new RetortError(
    'GRAD_MISSING_RULE',
    `Resize "${node.name}": no gradient rule for sizes that are rounded to keep the aspect ratio`,
  );
}

/** The weights [length, size] of one axis: an identity matrix, its rows along the first axis, resized along `axis`. */
function weightsOf(
  c: RuleContext,
  axis: number,
  length: number,
  size: number,
  scale: number | undefined,
): string {
  const { b, node } = c;
  const along = (value: number, others: number) =>
    b.dims(c.x(0)).map((_, i) => (i === axis ? value : others));
  const square = b.op('ConstantOfShape', [b.ints([length, length])]);
  const eye = b.op('EyeLike', [square], { dtype: dtypes[b.dtype(c.x(0))].code });
  const rows = along(length, 1);
  rows[0] = length;
  const sizes = along(size, 1);
  sizes[0] = length;
  const target = scale === undefined ? ['', b.ints(sizes)] : [b.constant(along(scale, 1))];
  const { axes: _axes, keep_aspect_ratio_policy: _policy, ...attributes } = node.attributes;
  const resized = b.op('Resize', [b.op('Reshape', [eye, b.ints(rows)]), '', ...target], attributes);
  return b.op('Reshape', [resized, b.ints([length, size])]);
}
