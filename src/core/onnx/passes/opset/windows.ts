import { intAttribute, intsAttribute, stringAttribute } from '../../attributes.ts';
import type { Node } from '../../model.ts';
import type { Rewriter } from '../rewriter.ts';
import { type Converter, without } from './converter.ts';

/** Padding in words, where onnxruntime or ONNX's own shape inference goes wrong by it, as padding in numbers. */

interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly kernel: number;
  /** Cells the window spans. */
  readonly reach: number;
}

/** The spatial axes; undefined where a size is not known before the run. */
function axesOf(node: Node, r: Rewriter): Axis[] | undefined {
  const sizes = r.type(node.inputs[0]!).shape?.slice(2);
  const kernel = intsAttribute(node, 'kernel_shape') ?? r.type(node.inputs[1] ?? '').shape?.slice(2);
  if (!sizes || !kernel) return undefined;
  const ones = sizes.map(() => 1);
  const [strides, dilations] = ['strides', 'dilations'].map((name) => intsAttribute(node, name, ones));
  const axes = sizes.map((size, i) => ({
    size: Number(size),
    stride: strides![i]!,
    kernel: Number(kernel[i]),
    reach: (Number(kernel[i]) - 1) * dilations![i]! + 1,
  }));
  return axes.every(({ size, kernel }) => size > 0 && kernel > 0) ? axes : undefined;
}

/** auto_pad SAME_* of a dilated window: onnxruntime has none. */
export const samePadding: Converter = (node, r) => {
  const mode = stringAttribute(node, 'auto_pad', 'NOTSET');
  const dilated = intsAttribute(node, 'dilations', []).some((dilation) => dilation !== 1);
  const axes = mode.startsWith('SAME') && dilated ? axesOf(node, r) : undefined;
  if (!axes) return false;
  const total = axes.map(({ size, stride, reach }) =>
    Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size),
  );
  const [less, more] = [Math.floor, Math.ceil].map((round) => total.map((pad) => round(pad / 2)));
  const pads = mode === 'SAME_UPPER' ? [...less!, ...more!] : [...more!, ...less!];
  r.emit(withPads(without(node, 'auto_pad'), node, pads));
  return true;
};

/**
 * ceil_mode where a last window would start in the padding: onnxruntime leaves it out, ONNX's shape inference counts it,
 * and inside a Loop the two must agree. Padding up to the last window says the same without ceil_mode.
 */
const ceilMode: Converter = (node, r) => {
  const axes = intAttribute(node, 'ceil_mode', 0) === 1 ? axesOf(node, r) : undefined;
  if (!axes || stringAttribute(node, 'auto_pad', 'NOTSET') !== 'NOTSET') return false;
  const pads = intsAttribute(node, 'pads', new Array<number>(2 * axes.length).fill(0));
  const [begins, ends] = [pads.slice(0, axes.length), pads.slice(axes.length)];
  const last = axes.map(({ size, stride, kernel, reach }, i) => {
    const start = Math.ceil((size + begins[i]! + ends[i]! - reach) / stride) * stride;
    const dropped = start >= size + begins[i]!;
    const needed = (dropped ? start - stride : start) + reach - size - begins[i]!;
    return { dropped, needed: Math.max(0, needed), fits: needed < kernel };
  });
  // onnxruntime takes no padding as large as the window. Padding that counts would be more by padding further.
  const counted =
    intAttribute(node, 'count_include_pad', 0) === 1 && last.some(({ needed }, i) => needed > ends[i]!);
  if (!last.some(({ dropped }) => dropped) || counted || !last.every(({ fits }) => fits)) return false;
  r.emit(withPads(without(node, 'ceil_mode'), node, [...begins, ...last.map(({ needed }) => needed)]));
  return true;
};

const withPads = (attributes: Node['attributes'], node: Node, pads: readonly number[]): Node => ({
  ...node,
  attributes: { ...attributes, pads: { type: 'ints', value: pads.map(BigInt) } },
});

/** Pools have both. */
export const pool: Converter = (node, r) => samePadding(node, r) || ceilMode(node, r);
