import { appendGradients } from '../../src/core/autodiff/backward.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { AttributeInput } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { DType } from '../../src/core/onnx/dtype.ts';
import { runModel } from './run-model.ts';

export interface Operand {
  readonly values: readonly number[];
  readonly dims: readonly number[];
  /** Default float32; only float operands are differentiated. */
  readonly dtype?: DType;
}

/**
 * The gradients of <y, dy> by every float operand of one operator, run by onnxruntime; other operands are
 * constants.
 */
export async function gradientsOf(
  op: string,
  operands: readonly Operand[],
  dy: readonly number[],
  attributes: Readonly<Record<string, AttributeInput>> = {},
  threads = 1,
): Promise<number[][]> {
  const b = new GraphBuilder();
  const feeds: Record<string, NDArray> = {};
  const names = operands.map(({ values, dims, dtype }, i) => {
    if (dtype && dtype !== 'float32') return b.constant(values, dtype, dims);
    feeds[`x${i}`] = { dtype: 'float32', dims, data: Float32Array.from(values) };
    return b.input(`x${i}`, 'float32', dims);
  });
  const y = b.op(op, names, { ...attributes });
  feeds.dy = { dtype: 'float32', dims: b.dims(y), data: Float32Array.from(dy) };
  b.input('dy', 'float32', b.dims(y));
  const wrt = Object.keys(feeds).filter((name) => name !== 'dy');
  const gradients = appendGradients(b, { outputs: new Map([[y, 'dy']]), wrt, target: 'ort-cpu' });
  const outputs = wrt.map((name) => b.op('Identity', [gradients.get(name)!]));
  b.output(...outputs);
  const result = await runModel(b.model(), feeds, { threads });
  return outputs.map((name) => Array.from(result[name]!.data as Float32Array));
}
