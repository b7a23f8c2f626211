import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import type { SessionOptions } from '../../src/pipeline/ports.ts';

/** Runs a model (or an ONNX file) once through onnxruntime on the CPU, one thread, and returns its outputs. */
export async function runModel(
  model: Model | Uint8Array,
  feeds: Readonly<Record<string, NDArray>>,
  options: Partial<SessionOptions> = {},
): Promise<Record<string, NDArray>> {
  const bytes = model instanceof Uint8Array ? model : encodeModel(model);
  const session = await onnxruntime.open(bytes, { device: 'cpu', threads: 1, ...options });
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}
