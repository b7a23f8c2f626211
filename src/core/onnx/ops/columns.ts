import type { Dim } from '../model.ts';
import { dtypeOf, elementsOf, misfit, rankedShape } from './context.ts';
import { define, ints, sample } from './define.ts';
import { isKnown, mapDim, productOf, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/** x [N, C * block, L] of windows as columns, with the sizes of image and block -> [N, C, ...image]. */
function inferCol2Im(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 3, 3);
  const [image, block] = [elementsOf(c.inputs[1]), elementsOf(c.inputs[2])];
  const cells = block && productOf(block);
  if (x && isKnown(x[1]!) && cells && isKnown(cells) && x[1] % cells !== 0)
    misfit(c, `${x[1]} rows of ${showShape(x)} are no multiple of ${cells} cells of a block`);
  const channels: Dim = x && cells && isKnown(cells) ? mapDim(x[1]!, (rows) => rows / cells) : '';
  return [{ dtype: dtypeOf(c, 0), shape: image && [x?.[0] ?? '', channels, ...image] }];
}

const samples = {
  Col2Im: [
    sample([[2, 8, 4], ints(3, 3), ints(2, 2)]),
    sample([[1, 12, 6], ints(5, 6), ints(2, 3)], { strides: [2, 2], pads: [0, 1, 1, 0], dilations: [2, 1] }),
    sample([[1, 4, 5], ints(6), ints(2)]),
  ],
};

export const columns = define([{ op: 'Col2Im', infer: inferCol2Im }], samples);
