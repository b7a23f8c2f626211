import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import { type SliceRange, sliceRanges } from '../emit/slice-ranges.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

const sample = (
  name: string,
  shape: readonly number[],
  ...lists: readonly (readonly number[])[]
): RuleSample => ({
  name,
  inputs: [{ shape }, ...lists.map((constant) => ({ constant, dtype: 'int64' as const }))],
});

const toEnd = Number.MAX_SAFE_INTEGER;

/**
 * y = x[first : end : step] along some axes; dx holds dy at those places, zero elsewhere. Each axis with a step other
 * than 1 is first undone to step 1 (a negative step by reversing, a stride s by putting s - 1 zeros behind every
 * element); one Pad then restores the cut-off ends. https://onnx.ai/onnx/operators/onnx__Slice.html
 */
export const slice: GradientRule = {
  op: 'Slice',
  differentiable: [0],
  samples: [
    sample('leading axes by default', [3, 4], [1, 0], [3, 2]),
    sample('one axis, negative, to the end', [2, 5], [-3], [toEnd], [-1]),
    sample('stride', [2, 7], [1], [7], [1], [3]),
    sample('stride that ends early', [8], [0], [6], [0], [2]),
    sample('reversed', [2, 4], [-1], [-toEnd], [1], [-1]),
    sample('reversed stride', [9], [7], [0], [0], [-3]),
    sample('two axes, mixed steps', [5, 6], [0, 4], [5, 0], [0, 1], [2, -2]),
    sample('bounds beyond the ends', [4], [-10], [10], [0]),
  ],
  backward: (c) => {
    const others = c.node.inputs.slice(1).map(() => undefined);
    if (sizeOf(c.b.dims(c.y(0))) === 0) return [undefined, ...others];
    return [restore(c.b, c.dy(0), c.b.dims(c.x(0)), sliceRanges(c)), ...others];
  },
};

function restore(
  b: GraphBuilder,
  dy: string,
  dims: readonly number[],
  ranges: readonly SliceRange[],
): string {
  const before = dims.map(() => 0);
  const after = dims.map(() => 0);
  let value = dy;
  for (const { axis, first, step, count } of ranges) {
    const lowest = step > 0 ? first : first + (count - 1) * step;
    if (step < 0) value = reverse(b, value, axis);
    if (Math.abs(step) !== 1) value = spreadOut(b, value, axis, Math.abs(step));
    before[axis] = lowest;
    // Negative where the zeros behind the last element reach over the end: Pad then cuts them off.
    after[axis] = dims[axis]! - lowest - count * Math.abs(step);
  }
  const pads = [...before, ...after];
  return pads.every((pad) => pad === 0) ? value : b.op('Pad', [value, b.ints(pads)]);
}

function reverse(b: GraphBuilder, value: string, axis: number): string {
  const bounds = [b.ints([-1]), b.ints([-toEnd]), b.ints([axis]), b.ints([-1])];
  return b.op('Slice', [value, ...bounds]);
}

/** Puts step - 1 zeros behind every element along an axis. */
function spreadOut(b: GraphBuilder, value: string, axis: number, step: number): string {
  const dims = b.dims(value);
  const apart = [...dims.slice(0, axis + 1), 1, ...dims.slice(axis + 1)];
  const pads = [...apart.map(() => 0), ...apart.map((_, i) => (i === axis + 1 ? step - 1 : 0))];
  const padded = b.op('Pad', [b.op('Reshape', [value, b.ints(apart)]), b.ints(pads)]);
  return b.op('Reshape', [padded, b.ints(dims.map((dim, i) => (i === axis ? dim * step : dim)))]);
}
