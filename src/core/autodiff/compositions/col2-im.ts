import { numbers } from '../../onnx/tensor.ts';
import { columnsOf, fromColumns } from '../emit/columns.ts';
import { type Composition, outputDims } from './composition.ts';

/** Windows added up where they overlap: a transposed convolution. */
export const col2Im: Composition = (b, node) => {
  const [x, , block] = node.inputs as [string, string, string];
  const [, , ...image] = outputDims(b, node);
  return [fromColumns(b, x, columnsOf(node, b.dims(x), image, numbers(b.type(block).constant!)))];
};
