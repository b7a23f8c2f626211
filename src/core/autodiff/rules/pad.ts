import { RetortError } from '../../../errors.ts';
import { stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import { numbers } from '../../onnx/tensor.ts';
import { normalAxis } from '../emit/axis.ts';
import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';

const sample = (
  name: string,
  shape: readonly number[],
  pads: readonly number[],
  mode = 'constant',
  axes?: readonly number[],
): RuleSample => ({
  name: `${mode}, ${name}`,
  inputs: [
    { shape },
    { constant: pads, dtype: 'int64' },
    ...(axes ? (['omitted', { constant: axes, dtype: 'int64' }] as const) : []),
  ],
  attributes: { mode },
});

/**
 * y = x with borders before and after each axis. Constant: dx = dy without the borders, which is Pad by the negated
 * amounts. Edge and reflect: each border's part of dy is also added where it was copied from, axis after axis
 * (border j before: x[0], or x[p - j]; j behind: x[L - 1], or x[L - 2 - j]).
 * https://onnx.ai/onnx/operators/onnx__Pad.html
 */
export const pad: GradientRule = {
  op: 'Pad',
  differentiable: [0],
  samples: [
    sample('image borders', [1, 2, 2, 3], [0, 0, 1, 2, 0, 0, 2, 0]),
    sample('a negative border', [2, 5], [0, -1, 1, 2]),
    sample('one axis', [2, 3], [1, 2], 'constant', [-1]),
    {
      name: 'constant, own value',
      inputs: [{ shape: [3] }, { constant: [1, 1], dtype: 'int64' }, { constant: [7], shape: [] }],
    },
    sample('both axes', [2, 3], [1, 2, 2, 1], 'edge'),
    sample('both axes', [3, 4], [1, 3, 2, 2], 'reflect'),
    sample('one axis', [2, 4], [2, 0], 'reflect', [1]),
  ],
  backward: (c) => {
    const mode = stringAttribute(c.node, 'mode', 'constant');
    const borders = bordersOf(c);
    const dx =
      mode === 'constant'
        ? c.b.op('Pad', [
            c.dy(0),
            c.b.ints([...borders.map((p) => 0 - p.before), ...borders.map((p) => 0 - p.after)]),
          ])
        : fold(c, mode, borders);
    return [dx, ...c.node.inputs.slice(1).map(() => undefined)];
  },
};

interface Border {
  readonly before: number;
  readonly after: number;
}

/** One border per axis of x. */
function bordersOf(c: RuleContext): Border[] {
  const rank = c.b.dims(c.x(0)).length;
  const pads = numbers(c.constant(1));
  const axes = c.hasX(3) ? numbers(c.constant(3)).map((axis) => normalAxis(axis, rank)) : undefined;
  const count = pads.length / 2;
  return Array.from({ length: rank }, (_, axis) => {
    const at = axes ? axes.indexOf(axis) : axis;
    return at < 0 ? { before: 0, after: 0 } : { before: pads[at]!, after: pads[at + count]! };
  });
}

function fold(c: RuleContext, mode: string, borders: readonly Border[]): string {
  if ((mode !== 'edge' && mode !== 'reflect') || borders.some((p) => p.before < 0 || p.after < 0)) {
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `Pad "${c.node.name}": mode ${mode} has no gradient rule for these pads`,
    );
  }
  const dims = c.b.dims(c.x(0));
  return borders.reduce((dy, { before, after }, axis) => {
    if (before === 0 && after === 0) return dy;
    const length = dims[axis]!;
    const behind = before + length;
    const inner = cut(c.b, dy, axis, before, behind);
    const parts = [inner];
    if (mode === 'edge') {
      if (before > 0) parts.push(place(c.b, gather(c.b, dy, axis, 0, before), axis, 0, length));
      if (after > 0)
        parts.push(place(c.b, gather(c.b, dy, axis, behind, behind + after), axis, length - 1, length));
    } else {
      if (before > 0) parts.push(place(c.b, mirror(c.b, dy, axis, 0, before), axis, 1, length));
      if (after > 0) {
        const at = length - 1 - after;
        parts.push(place(c.b, mirror(c.b, dy, axis, behind, behind + after), axis, at, length));
      }
    }
    return parts.reduce((sum, part) => c.b.op('Add', [sum, part]));
  }, c.dy(0));
}

const cut = (b: GraphBuilder, value: string, axis: number, start: number, end: number) =>
  b.op('Slice', [value, b.ints([start]), b.ints([end]), b.ints([axis])]);

const gather = (b: GraphBuilder, value: string, axis: number, start: number, end: number) =>
  b.op('ReduceSum', [cut(b, value, axis, start, end), b.ints([axis])], { keepdims: 1 });

const mirror = (b: GraphBuilder, value: string, axis: number, start: number, end: number) =>
  b.op('Slice', [
    cut(b, value, axis, start, end),
    ...[-1, -Number.MAX_SAFE_INTEGER, axis, -1].map((bound) => b.ints([bound])),
  ]);

/** Zeros of `length` along an axis, with `value` from `start` on. */
function place(b: GraphBuilder, value: string, axis: number, start: number, length: number): string {
  const dims = b.dims(value);
  const pads = [...dims, ...dims].map(() => 0);
  pads[axis] = start;
  pads[axis + dims.length] = length - start - dims[axis]!;
  return pads.every((amount) => amount === 0) ? value : b.op('Pad', [value, b.ints(pads)]);
}
