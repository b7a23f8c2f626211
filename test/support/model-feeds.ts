import type { NDArray } from '../../src/core/ndarray.ts';
import type { DType, TypedArray } from '../../src/core/onnx/dtype.ts';
import { dtypes } from '../../src/core/onnx/dtype.ts';
import type { ValueInfo } from '../../src/core/onnx/model.ts';
import { floatToHalf, sizeOf } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

/**
 * Deterministic feeds for a session's inputs: floats uniform on [0, 1), integers 0 to 9, text of a few words. Open
 * dimensions are 2 unless `sizes` says otherwise, by dimension name or by input name (then the whole shape).
 */
export function modelFeeds(
  inputs: readonly ValueInfo[],
  sizes: Readonly<Record<string, number | readonly number[]>> = {},
): Record<string, NDArray> {
  return Object.fromEntries(
    inputs.map((input) => {
      const whole = sizes[input.name];
      const dims = Array.isArray(whole)
        ? (whole as number[])
        : (input.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : ((sizes[dim] as number) ?? 2)));
      const dtype = input.dtype ?? 'float32';
      return [input.name, { dtype, dims, data: values(dtype, sizeOf(dims), input.name) }];
    }),
  );
}

function values(dtype: DType, count: number, stream: string): TypedArray | string[] {
  const random = new Random(1, stream);
  if (dtype === 'string')
    return Array.from({ length: count }, () => `free text number ${random.int(100)} now`);
  const data = new dtypes[dtype].array!(new ArrayBuffer((count * dtypes[dtype].bits) / 8), 0, count);
  for (let i = 0; i < count; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(random.int(10));
    else if (dtype === 'float16') data[i] = floatToHalf(random.uniform());
    else data[i] = dtype.startsWith('float') ? random.uniform() : random.int(dtype === 'bool' ? 2 : 10);
  }
  return data;
}
