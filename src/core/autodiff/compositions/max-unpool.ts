import { sizeOf } from '../../onnx/tensor.ts';
import { type Composition, outputDims } from './composition.ts';

/** x written into zeros at the places that `indices` name, counted over the whole of y. */
export const maxUnpool: Composition = (b, node) => {
  const [x, indices] = node.inputs as [string, string];
  const dims = outputDims(b, node);
  const flat = (value: string) => b.op('Reshape', [value, b.ints([sizeOf(b.dims(x))])]);
  const zeros = b.op('Expand', [b.constant(0, b.dtype(x)), b.ints([sizeOf(dims)])]);
  const written = b.op('ScatterElements', [zeros, flat(indices), flat(x)], { axis: 0 });
  return [b.op('Reshape', [written, b.ints(dims)])];
};
