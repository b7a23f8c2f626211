import type { DatasetCard } from './card.ts';
import { type IngestRequest, ingest } from './ingest.ts';
import { openDataset } from './open-dataset.ts';

/** What a dataset is, as it comes: decoded into the given folder, which is scratch. */
export async function inspectDataset(
  request: Pick<IngestRequest, 'files' | 'folder' | 'decoder' | 'format' | 'labelColumn' | 'signal'>,
): Promise<DatasetCard> {
  // The card is there to show the rejects, however many.
  await ingest({ ...request, maxRejects: 1 });
  const dataset = await openDataset(request.folder, { cacheBytes: 0 });
  await dataset.close();
  return dataset.card();
}
