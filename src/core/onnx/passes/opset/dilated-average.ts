import { intAttribute, intsAttribute, stringAttribute } from '../../attributes.ts';
import type { Node } from '../../model.ts';
import type { Rewriter } from '../rewriter.ts';
import { dtypeOf, unsupported, wholeNumbers } from './converter.ts';

/** One spatial axis: its sizes, and the cells each window averages over along it. */
interface Axis {
  readonly begin: number;
  readonly end: number;
  readonly counts: readonly number[];
}

/**
 * AveragePool with dilations (19), which opset 18 lacks: the sum over each window, a depthwise convolution with ones, by
 * the number of cells that count. That number is one for all windows, or known per position.
 */
export function dilatedAverage(node: Node, r: Rewriter): true {
  const x = node.inputs[0]!;
  const [from, to] = [r.type(x).shape, r.type(node.outputs[0]!).shape];
  const known = (shape: typeof from): number[] =>
    shape?.slice(1).every((dim) => typeof dim === 'number')
      ? (shape.slice(1) as number[])
      : unsupported(node, r, 'the sizes of a dilated pool must be known');
  const [[channels, ...input], [, ...output]] = [known(from), known(to)] as [number[], number[]];
  const kernel = intsAttribute(node, 'kernel_shape', []);
  const axes = input.map((size, i) => axisOf(node, i, kernel[i]!, size, output[i]!));
  const dtype = dtypeOf(node, r);
  const ones = wholeNumbers(r, dtype, [channels!, 1, ...kernel], () => 1);
  const sums = r.op('Conv', [x, ones], {
    kernel_shape: kernel,
    group: channels!,
    pads: [...axes.map(({ begin }) => begin), ...axes.map(({ end }) => end)],
    strides: intsAttribute(node, 'strides', once(kernel)),
    dilations: intsAttribute(node, 'dilations', once(kernel)),
  });
  const counts = axes.reduce<readonly number[]>(
    (all, axis) => all.flatMap((count) => axis.counts.map((along) => count * along)),
    [1],
  );
  const even = counts.every((count) => count === counts[0]);
  const by = even
    ? r.scalar(dtype, counts[0]!)
    : wholeNumbers(r, dtype, [1, 1, ...output], (i) => counts[i]!);
  r.emit({ ...node, op: 'Div', inputs: [sums, by], attributes: {} });
  return true;
}

const once = (kernel: readonly number[]): number[] => kernel.map(() => 1);

function axisOf(node: Node, i: number, kernel: number, size: number, output: number): Axis {
  const [stride, dilation] = ['strides', 'dilations'].map((name) => intsAttribute(node, name)?.[i] ?? 1) as [
    number,
    number,
  ];
  const pads = intsAttribute(node, 'pads', []);
  const mode = stringAttribute(node, 'auto_pad', 'NOTSET');
  const same = mode.startsWith('SAME');
  /** Cells from the first window's first to the last window's last. */
  const span = (output - 1) * stride + (kernel - 1) * dilation + 1;
  const total = Math.max(0, span - size);
  const half = mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
  const begin = same ? half : mode === 'VALID' ? 0 : (pads[i] ?? 0);
  const end = Math.max(0, span - size - begin);
  const declared = same ? end : mode === 'VALID' ? 0 : (pads[pads.length / 2 + i] ?? 0);
  const counted = intAttribute(node, 'count_include_pad', 0) === 1;
  const [first, behind] = counted ? [-begin, size + declared] : [0, size];
  const cells = (o: number) => Array.from({ length: kernel }, (_, k) => o * stride + k * dilation - begin);
  const counts = Array.from(
    { length: output },
    (_, o) => cells(o).filter((at) => at >= first && at < behind).length,
  );
  return { begin, end, counts };
}
