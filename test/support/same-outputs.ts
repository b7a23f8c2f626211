import assert from 'node:assert/strict';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { modelFeeds } from './model-feeds.ts';

/** Runs a file before and after our codec on the same feeds; every output must be the same, bit for bit. */
export async function sameOutputs(
  file: Uint8Array,
  sizes: Parameters<typeof modelFeeds>[1],
): Promise<number> {
  const run = async (bytes: Uint8Array): Promise<Record<string, NDArray>> => {
    const session = await onnxruntime.open(bytes, { device: 'cpu', threads: 1 });
    try {
      return await session.run(modelFeeds(session.inputs, sizes));
    } finally {
      await session.close();
    }
  };
  const before = await run(file);
  const after = await run(encodeModel(decodeModel(file)));
  for (const [name, { dtype, dims, data }] of Object.entries(before)) {
    assert.deepEqual([after[name]?.dtype, after[name]?.dims], [dtype, dims], name);
    assert.ok(bits(data).equals(bits(after[name]!.data)), `${name} differs`);
  }
  const numbers = Object.values(before).reduce((sum, { data }) => sum + data.length, 0);
  assert.ok(numbers > 0, 'no output to compare');
  return numbers;
}

function bits(data: NDArray['data']): Buffer {
  if ('buffer' in data) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(JSON.stringify(data));
}
