import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { NamedFile } from '../../client/files.ts';
import { RetortError } from '../../errors.ts';

export type LocalFile = NamedFile & { readonly data: Blob };

/** A file on disk as a Blob: its bytes are read when they are sent. */
export async function localFile(path: string): Promise<LocalFile> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is not a file');
    return { name: basename(path), data: await openAsBlob(path) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RetortError('FILE_UNREADABLE', `${path}: ${why}`, {
      cause: error,
      hint: 'Check the path and its permissions; pack a folder of pictures into a zip or tar first.',
    });
  }
}
