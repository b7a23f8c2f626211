import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/model.ts';
import { convolveBack } from '../emit/convolve.ts';
import { endsOf, positions, type SlidingWindow, slidingWindow } from '../emit/sliding-window.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

/**
 * y = sum of each window / its count. dx spreads dy / count back over the windows: a transposed convolution with ones,
 * channels in the batch. https://onnx.ai/onnx/operators/onnx__AveragePool.html
 */
export const averagePool: GradientRule = {
  op: 'AveragePool',
  differentiable: 'all',
  samples: samples(),
  backward: (c) => {
    const { b, node } = c;
    const [dims, made] = [b.dims(c.x(0)), b.dims(c.y(0))];
    const kernel = intsAttribute(node, 'kernel_shape', []);
    const window = slidingWindow(node, kernel, dims.slice(2), made.slice(2));
    const share = b.op('Mul', [c.dy(0), shares(b, c.dy(0), node, window)]);
    const planes = dims[0]! * dims[1]!;
    const flat = b.op('Reshape', [share, b.ints([planes, 1, ...window.output])]);
    const one = b.constant(1, b.dtype(share));
    const ones = b.op('Expand', [one, b.ints([1, 1, ...kernel])]);
    const spread = convolveBack(b, flat, ones, window, 1);
    return [b.op('Reshape', [spread, b.ints(dims)])];
  },
};

/** 1 / count per output position, [1, 1, ...output]; a scalar where all windows count the same. */
function shares(b: GraphBuilder, dy: string, node: Node, w: SlidingWindow): string {
  const withPads = intAttribute(node, 'count_include_pad', 0) === 1;
  const counted = w.kernel.map((_, axis) => countsAlong(node, w, axis, withPads));
  const all = positions({ ...w, kernel: w.output }).map((at) =>
    at.reduce((product, o, axis) => product * counted[axis]![o]!, 1),
  );
  const dtype = b.dtype(dy);
  if (all.every((count) => count === all[0])) return b.constant(1 / all[0]!, dtype);
  return b.constant(
    all.map((count) => 1 / count),
    dtype,
    [1, 1, ...w.output],
  );
}

/** Cells that count in each window along one axis: those of x, or also those of the declared padding. */
function countsAlong(node: Node, w: SlidingWindow, axis: number, withPads: boolean): number[] {
  const rank = w.kernel.length;
  const same = stringAttribute(node, 'auto_pad', 'NOTSET').startsWith('SAME');
  const declared = same ? Math.max(0, endsOf(w)[axis]!) : (intsAttribute(node, 'pads')?.[rank + axis] ?? 0);
  const from = withPads ? -w.begins[axis]! : 0;
  const to = w.input[axis]! + (withPads ? declared : 0);
  return Array.from({ length: w.output[axis]! }, (_, o) => {
    const cells = Array.from(
      { length: w.kernel[axis]! },
      (_, k) => o * w.strides[axis]! + k * w.dilations[axis]!,
    );
    return cells.filter((at) => at - w.begins[axis]! >= from && at - w.begins[axis]! < to).length;
  });
}

function samples(): RuleSample[] {
  const sample = (
    name: string,
    shape: readonly number[],
    kernel: readonly number[],
    attributes: RuleSample['attributes'] = {},
  ): RuleSample => ({ name, inputs: [{ shape }], attributes: { kernel_shape: kernel, ...attributes } });
  const overlap = { strides: [2, 2], pads: [1, 1, 1, 1] };
  return [
    sample('2x2', [2, 2, 4, 6], [2, 2], { strides: [2, 2] }),
    sample('overlapping, pads not counted', [2, 2, 5, 6], [3, 3], overlap),
    sample('overlapping, pads counted', [2, 2, 5, 6], [3, 3], { ...overlap, count_include_pad: 1 }),
    sample('ceil, pads not counted', [1, 2, 6, 5], [3, 2], { strides: [2, 3], ceil_mode: 1 }),
    sample('ceil, pads counted', [1, 2, 6, 5], [3, 2], {
      strides: [2, 3],
      pads: [1, 0, 0, 1],
      ceil_mode: 1,
      count_include_pad: 1,
    }),
    sample('rows left over', [1, 1, 7, 8], [2, 2], { strides: [3, 3] }),
    sample('same upper', [1, 2, 5, 5], [2, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    sample('1-D', [2, 2, 7], [3], { strides: [2] }),
    sample('3-D', [1, 2, 4, 3, 4], [2, 2, 2], { strides: [2, 1, 2] }),
  ];
}
