import { decodeModel } from '../../core/onnx/decode.ts';
import { externalNames, resolveExternalData } from '../../core/onnx/external-data.ts';
import type { Model } from '../../core/onnx/model.ts';
import { about } from '../about.ts';
import type { BlobStore } from '../ports.ts';
import type { Artifact } from '../stage.ts';
import { storedFiles } from '../stored-files.ts';

/** A student that came as a file, with its external data in memory; undefined where it did not come. */
export async function uploadedStudent(
  file: string,
  companions: readonly Artifact[],
  blobs: BlobStore,
): Promise<Model | undefined> {
  const own = companions.find(({ name }) => name === file);
  if (!own) return undefined;
  return about(`student "${file}"`, async () => {
    const model = decodeModel(await blobs.get(own.hash));
    const names = externalNames(model);
    const beside = companions.filter(({ name }) => names.includes(name));
    return resolveExternalData(model, await storedFiles(beside, blobs));
  });
}
