import { entryOf } from '../core/options.ts';
import { RetortError } from '../errors.ts';
import type { DatasetFormat, Head } from './format.ts';
import { formats } from './formats/index.ts';
import type { Upload } from './upload.ts';

const headBytes = 64 * 1024;
const looked = 64;

/** The format of an upload: the declared one, or the first whose signs are in the first bytes of its first files. */
export async function sniff(upload: Upload, declared?: string): Promise<DatasetFormat> {
  const known: Readonly<Record<string, DatasetFormat>> = formats;
  if (declared !== undefined) return entryOf(known, declared, 'dataset format');
  const heads: Head[] = [];
  for await (const entry of upload.entries()) {
    heads.push({ path: entry.path, bytes: await readHead(entry) });
    if (heads.length === looked) break;
  }
  const found = Object.values(known).find((format) => format.sniff(heads));
  if (found) return found;
  throw new RetortError(
    'DATA_UNREADABLE',
    `${upload.name}: no known dataset format in ${heads.length} files`,
    {
      hint: `Send one of: ${Object.values(known)
        .map((format) => format.summary)
        .join('; ')}.`,
    },
  );
}

/** A damaged entry must not hide what the others are. */
async function readHead(entry: { head(bytes: number): Promise<Uint8Array> }): Promise<Uint8Array> {
  try {
    return await entry.head(headBytes);
  } catch (error) {
    if (error instanceof RetortError && error.code === 'DATA_UNREADABLE') return new Uint8Array(0);
    throw error;
  }
}
