import { diskFolder } from '../../src/adapters/files/disk-folder.ts';
import { sharpDecoder } from '../../src/adapters/images/sharp-decoder.ts';
import type { SandboxRequestOf } from '../../src/adapters/processes/sandbox-request.ts';
import type { Stores } from '../../src/adapters/storage/fs-stores.ts';
import type { DatasetCard } from '../../src/data/card.ts';
import { inspectDataset } from '../../src/data/inspect-dataset.ts';

const decoder = sharpDecoder();

export async function answer(
  { data, format }: SandboxRequestOf<'inspect-dataset'>,
  note: (text: string) => void,
  { blobs }: Stores,
): Promise<DatasetCard> {
  note('dataset');
  const files = await Promise.all(
    data.map(async ({ hash, name }) => ({ ...(await blobs.source(hash)), name })),
  );
  // The working folder is this process's own and goes with it; the files are closed by its end.
  const folder = await diskFolder('decoded');
  return inspectDataset({ files, folder, decoder, ...(format === undefined ? {} : { format }) });
}
