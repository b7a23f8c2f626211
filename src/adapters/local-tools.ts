import type { Tools } from '../pipeline/stage.ts';
import type { Facilities } from '../spec/resolve-spec.ts';
import type { Spec } from '../spec/spec.ts';
import { sharpDecoder } from './images/sharp-decoder.ts';
import { kernelsOn } from './kernels/index.ts';
import { onnxruntime } from './runtime/onnxruntime.ts';
import { webgpuDevice } from './runtime/webgpu-device.ts';
import type { Stores } from './storage/fs-stores.ts';
import { systemClock } from './system-clock.ts';
import { batchThreads } from './threads/batch-threads.ts';

/** The tools of a journey in this process, over the given stores. */
export const localTools = ({ blobs, jobs }: Stores): Tools => ({
  blobs,
  jobs,
  runtime: onnxruntime,
  kernels: kernelsOn(onnxruntime),
  pictures: sharpDecoder(),
  clock: systemClock,
  threads: batchThreads,
});

/** What this machine offers. Loads the runtime's native library; starts WebGPU only for a spec that asks for it. */
export async function localFacilities({ train }: Pick<Spec, 'train'>): Promise<Facilities> {
  const states = [...onnxruntime.devices()];
  if (train?.teacherDevice === 'webgpu') states.push(await webgpuDevice());
  const devices = states.map(({ device, ...state }) => [device, state] as const);
  return {
    kernels: Object.fromEntries(['onnxruntime', 'tfjs'].map((name) => [name, { available: true }])),
    devices: Object.fromEntries(devices),
  };
}
