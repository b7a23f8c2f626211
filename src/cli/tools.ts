import { sharpDecoder } from '../adapters/images/sharp-decoder.ts';
import { kernelsOn } from '../adapters/kernels/index.ts';
import { onnxruntime } from '../adapters/runtime/onnxruntime.ts';
import { FsBlobs } from '../adapters/storage/fs-blobs.ts';
import { FsJobs } from '../adapters/storage/fs-jobs.ts';
import { systemClock } from '../adapters/system-clock.ts';
import type { Tools } from '../pipeline/stage.ts';
import type { Facilities } from '../spec/resolve-spec.ts';

/** The adapters of a journey in this process, with its store in a folder. */
export const localTools = (store: string): Tools => ({
  blobs: new FsBlobs(store),
  jobs: new FsJobs(store),
  runtime: onnxruntime,
  kernels: kernelsOn(onnxruntime),
  pictures: sharpDecoder(),
  clock: systemClock,
});

/** What this machine offers. */
export function localFacilities(): Facilities {
  const devices = onnxruntime.devices().map(({ device, available, why }) => {
    return [device, { available, ...(why === undefined ? {} : { why }) }] as const;
  });
  return {
    kernels: Object.fromEntries(['onnxruntime', 'tfjs'].map((name) => [name, { available: true }])),
    devices: Object.fromEntries(devices),
  };
}
