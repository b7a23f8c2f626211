import Type from 'typebox';
import { RetortError } from '../../errors.ts';
import type { RawSample } from '../dataset.ts';
import type { DatasetFormat } from '../format.ts';
import type { Entry, Upload } from '../upload.ts';
import { folderLayout } from './folder-layout.ts';
import { pictureKind } from './picture-magic.ts';

const options = Type.Object(
  { column: Type.String({ description: 'Name of the picture column', default: 'image' }) },
  { additionalProperties: false },
);

/** Documents that lie beside pictures and are nobody's mistake. */
const isDocument = (path: string): boolean =>
  /\.(md|txt|rst|json|csv|tsv|xml|ya?ml|html?|pdf|sha256|py|mat)$|(^|\/)(readme|licen[cs]e|manifest)[^/]*$/i.test(
    path,
  );

/** Pictures in class directories: `cat/1.jpg`, with `train/`, `val/`, `test/` on top where the splits are given. */
export const imageFolder: DatasetFormat<typeof options> = {
  name: 'image-folder',
  summary:
    'Pictures in class directories (zip, tar, tar.gz); train/ val/ test/ on top when given; unlabelled/',
  options,
  order: 'source',
  sniff: (heads) => heads.some((head) => pictureKind(head.bytes) !== undefined),

  async *open(upload, { column }, reject): AsyncIterable<RawSample> {
    const place = folderLayout(await foldersOf(upload));
    for await (const entry of upload.entries()) {
      if (isDocument(entry.path)) continue;
      const where = place(folderOf(entry.path));
      if ('reason' in where) {
        reject({ source: entry.path, reason: where.reason });
        continue;
      }
      const encoded = await pictureBytes(entry);
      if (typeof encoded === 'string') {
        reject({ source: entry.path, reason: encoded });
        continue;
      }
      yield {
        source: entry.path,
        ...(where.split && { split: where.split }),
        ...(where.label !== undefined && { label: where.label }),
        values: { [column]: { encoded } },
      };
    }
  },
};

async function foldersOf(upload: Upload): Promise<Set<string>> {
  const folders = new Set<string>();
  for await (const { path } of upload.entries()) if (!isDocument(path)) folders.add(folderOf(path));
  return folders;
}

/** The bytes of a picture, or why there is none. */
async function pictureBytes(entry: Entry): Promise<Uint8Array | string> {
  try {
    const bytes = await entry.read();
    if (bytes.length === 0) return 'empty file';
    return pictureKind(bytes) === undefined ? 'not a picture' : bytes;
  } catch (error) {
    if (error instanceof RetortError && error.code === 'DATA_UNREADABLE') {
      return error.message.slice(error.message.lastIndexOf(': ') + 2);
    }
    throw error;
  }
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
