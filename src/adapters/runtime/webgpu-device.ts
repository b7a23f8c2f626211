import { GraphBuilder } from '../../core/onnx/builder.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { RetortError } from '../../errors.ts';
import type { DeviceState } from '../../pipeline/ports.ts';
import { onnxruntime } from './onnxruntime.ts';

let tried: Promise<DeviceState> | undefined;

/** Whether WebGPU can be used, found by opening a model of one node on it, once per process: no file tells. */
export function webgpuDevice(): Promise<DeviceState> {
  tried ??= tryWebgpu();
  return tried;
}

async function tryWebgpu(): Promise<DeviceState> {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['n', 2]);
  b.output(b.op('Add', [x, b.constant([1, 2])], {}, { outputs: ['y'] }));
  // Else onnxruntime runs on the CPU what the device does not take, and says nothing.
  const config = { 'session.disable_cpu_ep_fallback': '1' };
  try {
    const session = await onnxruntime.open(encodeModel(b.model()), { device: 'webgpu', threads: 1, config });
    await session.close();
    return { device: 'webgpu', available: true };
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    return { device: 'webgpu', available: false, why: error.message };
  }
}
