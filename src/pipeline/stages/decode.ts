import { ingest as decodeUpload } from '../../data/ingest.ts';
import { BlobFolder } from '../blob-folder.ts';
import { pictureWish } from '../input-wish.ts';
import type { Stage } from '../stage.ts';

/** Files of the dataset into fixed-size records, pictures at the size and colour the teacher wants. */
export const decode: Stage<'decode'> = {
  name: 'decode',
  summary: 'decodes the dataset',
  version: 1,
  key: ({ ingest, inspect }, { spec }) => ({
    files: ingest.data.map(({ hash, name }) => [name, hash]),
    format: spec.data.format,
    options: spec.data.options,
    maxRejects: spec.data.maxRejects,
    label: spec.labels.column,
    pictures: pictureWish(spec, inspect.plan),
  }),
  async run({ ingest, inspect }, { blobs, spec, pictures, signal, progress }) {
    const folder = new BlobFolder(blobs);
    const files = await Promise.all(
      ingest.data.map(async ({ hash, name }) => ({ ...(await blobs.source(hash)), name })),
    );
    try {
      await decodeUpload({
        files,
        pictures: pictureWish(spec, inspect.plan),
        decoder: pictures,
        folder,
        signal,
        maxRejects: spec.data.maxRejects,
        progress: (rows) => progress(rows, 0, `${rows} rows`),
        ...(spec.labels.column === undefined ? {} : { labelColumn: spec.labels.column }),
        ...(spec.data.format === undefined ? {} : { format: spec.data.format }),
        ...(spec.data.options === undefined ? {} : { options: spec.data.options }),
      });
    } finally {
      await Promise.all(files.map((file) => file.close()));
    }
    return { files: folder.files };
  },
};
