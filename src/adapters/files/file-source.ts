import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Source } from '../../data/format.ts';
import { RetortError } from '../../errors.ts';

/** A file on disk, read by position. Close it when done. */
export interface FileSource extends Source {
  close(): Promise<void>;
}

export async function fileSource(path: string, name: string = basename(path)): Promise<FileSource> {
  let handle: FileHandle;
  let size: number;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) {
      await handle.close();
      throw new Error('it is not a file');
    }
    size = stat.size;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RetortError('FILE_UNREADABLE', `${path}: ${why}`, {
      cause: error,
      hint: 'Check the path and its permissions; pack a folder of pictures into a zip or tar first.',
    });
  }
  return {
    name,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done === length ? bytes : bytes.subarray(0, done);
    },
    stream(offset = 0, end = size) {
      if (offset >= end) return nothing();
      return createReadStream(path, { start: offset, end: end - 1, highWaterMark: 256 * 1024 });
    },
    close: () => handle.close(),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
