import type { GraphBuilder } from '../../onnx/builder.ts';
import { dtypes } from '../../onnx/dtype.ts';
import type { Node } from '../../onnx/model.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import { convolve, convolveBack } from './convolve.ts';
import { type SlidingWindow, slidingWindow } from './sliding-window.ts';

/**
 * Images as columns of windows: [N, C, ...image] <-> [N, C * block, L], every cell of a window a row, every window a column.
 * Taking the windows is a convolution whose k-th filter is 1 at cell k and 0 elsewhere; adding them up where they overlap
 * is its transpose.
 */
export interface Columns {
  readonly window: SlidingWindow;
  readonly batch: number;
  readonly channels: number;
}

/** The columns of a Col2Im with these sizes of image and block. */
export function columnsOf(
  node: Node,
  x: readonly number[],
  image: readonly number[],
  block: readonly number[],
): Columns {
  // Its pads and strides are a convolution's; how many windows there are per axis follows.
  const loose = slidingWindow(node, block, image, []);
  const pads = node.attributes.pads?.type === 'ints' ? node.attributes.pads.value.map(Number) : [];
  const output = image.map((size, i) => {
    const padded = size + (pads[i] ?? 0) + (pads[image.length + i] ?? 0);
    const reach = (block[i]! - 1) * loose.dilations[i]! + 1;
    return Math.floor((padded - reach) / loose.strides[i]!) + 1;
  });
  return { window: { ...loose, output }, batch: x[0]!, channels: x[1]! / sizeOf(block) };
}

export function toColumns(b: GraphBuilder, images: string, { window, batch, channels }: Columns): string {
  const planes = b.op('Reshape', [images, b.ints([batch * channels, 1, ...window.input])]);
  const taken = convolve(b, planes, cells(b, images, window), window, 1);
  return b.op('Reshape', [taken, b.ints([batch, channels * sizeOf(window.kernel), sizeOf(window.output)])]);
}

export function fromColumns(b: GraphBuilder, columns: string, { window, batch, channels }: Columns): string {
  const apart = [batch * channels, sizeOf(window.kernel), ...window.output];
  const planes = b.op('Reshape', [columns, b.ints(apart)]);
  const added = convolveBack(b, planes, cells(b, columns, window), window, 1);
  return b.op('Reshape', [added, b.ints([batch, channels, ...window.input])]);
}

/** [block, 1, ...block]: an identity matrix, constant and folded before training starts. */
function cells(b: GraphBuilder, like: string, { kernel }: SlidingWindow): string {
  const count = sizeOf(kernel);
  const square = b.op('ConstantOfShape', [b.ints([count, count])]);
  const eye = b.op('EyeLike', [square], { dtype: dtypes[b.dtype(like)].code });
  return b.op('Reshape', [eye, b.ints([count, 1, ...kernel])]);
}
