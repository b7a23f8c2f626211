import { ingest as decodeUpload } from '../../data/ingest.ts';
import type { PictureWish } from '../../data/picture.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { BlobFolder } from '../blob-folder.ts';
import type { Results } from '../results.ts';
import type { Artifact, Stage, StageContext } from '../stage.ts';
import { hashOf } from '../stage-key.ts';
import { pictureWish } from '../teacher/input-wish.ts';

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
    others: spec.ensemble && otherWishes(inspect, spec),
  }),
  async run({ ingest, inspect }, context) {
    const wishes = [pictureWish(context.spec, inspect.plan), ...otherWishes(inspect, context.spec)];
    const decoded = new Map<string, Results['decode']['files']>();
    for (const wish of wishes) {
      const name = hashOf(wish);
      if (!decoded.has(name)) decoded.set(name, await decodeFor(wish, ingest.data, context));
    }
    const [files, ...others] = wishes.map((wish) => decoded.get(hashOf(wish))!);
    return { files: files!, ...(context.spec.ensemble ? { others } : {}) };
  },
};

/** How further teachers want their pictures; once decoded serves all that want the same. */
const otherWishes = ({ others = [] }: Results['inspect'], { ensemble }: ResolvedSpec): PictureWish[] =>
  others.map(({ plan }, i) => pictureWish(ensemble!.others[i]!, plan));

async function decodeFor(
  wish: PictureWish,
  data: readonly Artifact[],
  { blobs, spec, pictures, signal, progress }: StageContext,
): Promise<Results['decode']['files']> {
  const folder = new BlobFolder(blobs);
  const files = await Promise.all(
    data.map(async ({ hash, name }) => ({ ...(await blobs.source(hash)), name })),
  );
  try {
    await decodeUpload({
      files,
      pictures: wish,
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
  return folder.files;
}
