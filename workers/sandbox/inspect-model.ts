import type { SandboxRequestOf } from '../../src/adapters/processes/sandbox-request.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { Stores } from '../../src/adapters/storage/fs-stores.ts';
import { storedFiles } from '../../src/pipeline/stored-files.ts';
import { inspectModel, type ModelInspection } from '../../src/pipeline/teacher/inspect-model.ts';

// Loads the native library before there is anything to do with it.
onnxruntime.devices();

export async function answer(
  { model, companions }: SandboxRequestOf<'inspect-model'>,
  note: (text: string) => void,
  { blobs }: Stores,
): Promise<ModelInspection> {
  note('model');
  return inspectModel(await blobs.get(model.hash), await storedFiles(companions, blobs), onnxruntime);
}
