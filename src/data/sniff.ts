import { entryOf } from '../core/options.ts';
import { RetortError } from '../errors.ts';
import type { DatasetFormat, Head } from './format.ts';
import { formats } from './formats/index.ts';
import type { Entry, Upload } from './upload.ts';

const headBytes = 64 * 1024;
/** Files looked at together, and in all. */
const together = 64;
const inAll = 4096;

const known: Readonly<Record<string, DatasetFormat>> = formats;

/** The format of an upload: the declared one, or the first whose signs are in the first bytes of its files. */
export async function sniff(upload: Upload, declared?: string): Promise<DatasetFormat> {
  if (declared !== undefined) return entryOf(known, declared, 'dataset format');
  let heads: Head[] = [];
  let seen = 0;
  let found: DatasetFormat | undefined;
  for await (const entry of upload.entries()) {
    heads.push({ path: entry.path, bytes: await readHead(entry) });
    if (++seen % together !== 0) continue;
    found = formatOf(heads);
    if (found || seen >= inAll) break;
    // Only documents so far (annotations may come before the pictures).
    heads = [];
  }
  found ??= formatOf(heads);
  if (found) return found;
  const summaries = Object.values(known).map((format) => format.summary);
  throw new RetortError(
    'DATA_UNREADABLE',
    `${upload.name}: no known dataset format in ${seen} file${seen === 1 ? '' : 's'}`,
    {
      hint: `Send one of: ${summaries.join('; ')}.`,
    },
  );
}

const formatOf = (heads: readonly Head[]): DatasetFormat | undefined =>
  Object.values(known).find((format) => format.sniff(heads));

/** A damaged entry must not hide what the others are. */
async function readHead(entry: Entry): Promise<Uint8Array> {
  try {
    return await entry.head(headBytes);
  } catch (error) {
    if (error instanceof RetortError && error.code === 'DATA_UNREADABLE') return new Uint8Array(0);
    throw error;
  }
}
