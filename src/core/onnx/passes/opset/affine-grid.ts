import { intAttribute } from '../../attributes.ts';
import { elementsOf } from '../../ops/context.ts';
import { type Converter, dtypeOf, unsupported, wholeNumbers } from './converter.ts';

/**
 * AffineGrid (20): theta [N, 2, 3] and the size of a picture [N, C, H, W] -> the places [N, H, W, 2] that theta sends the
 * pixels (x, y, 1) to, x and y from -1 to 1; likewise in 3-D. The pixels are counted in whole numbers and scaled.
 */
export const affineGrid: Converter = (node, r) => {
  const [theta, size] = node.inputs as [string, string];
  const sizes = elementsOf(r.type(size))?.slice(2) ?? [];
  if (sizes.length === 0 || !sizes.every((dim) => typeof dim === 'number'))
    unsupported(node, r, 'the size of the picture must be constant');
  const lengths = sizes as number[];
  const dtype = dtypeOf(node, r);
  const aligned = intAttribute(node, 'align_corners', 0) === 1;
  const along = (length: number, axis: number): string => {
    const dims = [...lengths.map((_, i) => (i === axis ? length : 1)), 1];
    const counted = wholeNumbers(r, dtype, dims, (i) => i);
    // Aligned, the outer pixels' centres are at -1 and 1; else their outer edges.
    const [step, first] = aligned ? [2 / Math.max(1, length - 1), -1] : [2 / length, 1 / length - 1];
    const alone = aligned && length === 1;
    const scaled = r.op('Mul', [counted, r.scalar(dtype, step)]);
    const placed = r.op('Add', [scaled, r.scalar(dtype, alone ? 0 : first)]);
    return r.op('Expand', [placed, r.ints([...lengths, 1])]);
  };
  // The last axis of the picture comes first.
  const pixels = lengths.map(along).reverse();
  const ones = r.op('Expand', [r.scalar(dtype, 1), r.ints([...lengths, 1])]);
  const joined = r.op('Concat', [...pixels, ones], { axis: -1 });
  const rows = r.op('Reshape', [joined, r.ints([-1, lengths.length + 1])]);
  const places = r.op('MatMul', [rows, r.op('Transpose', [theta], { perm: [0, 2, 1] })]);
  r.op('Reshape', [places, r.ints([-1, ...lengths, lengths.length])], {}, node.outputs);
  return true;
};
