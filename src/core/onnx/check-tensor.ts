import type { ErrorCode } from '../../errors.ts';
import { byteLength } from './dtype.ts';
import { sizeOf, type Tensor } from './tensor.ts';

/** Reports what is wrong with one stored tensor: data that do not fill its dimensions. */
export function checkTensor(value: Tensor, report: (code: ErrorCode, message: string) => void): void {
  const { dtype, dims, bytes, strings, external } = value;
  const count = sizeOf(dims);
  const shape = `${dtype}[${dims.join(', ')}]`;
  const needed = byteLength(dtype, count);
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(needed))
    report('ONNX_INVALID', `${shape} has more elements than can be`);
  else if (dtype === 'string') {
    const found = strings?.length ?? 0;
    if (external) report('ONNX_INVALID', 'strings cannot lie in an external file');
    else if (found !== count) report('ONNX_INVALID', `${shape} needs ${count} strings, has ${found}`);
  } else {
    const found = external ? (external.length ?? needed) : bytes.length;
    if (found !== needed) report('ONNX_INVALID', `${shape} needs ${needed} bytes, has ${found}`);
  }
}
