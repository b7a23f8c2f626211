import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Folder } from '../../data/folder.ts';
import { fileSource } from './file-source.ts';

const BUFFER = 1 << 20;

/** A folder on disk. Writes are gathered to about a megabyte. */
export async function diskFolder(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true });
  return {
    async writer(name) {
      const handle = await open(join(path, name), 'w');
      const buffer = new Uint8Array(BUFFER);
      let filled = 0;
      const put = async (bytes: Uint8Array): Promise<void> => {
        for (let done = 0; done < bytes.length; ) {
          done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
        }
      };
      const flush = async (): Promise<void> => {
        const ready = buffer.subarray(0, filled);
        filled = 0;
        await put(ready);
      };
      return {
        async write(bytes) {
          if (filled + bytes.length > BUFFER) await flush();
          if (bytes.length > BUFFER) return put(bytes);
          buffer.set(bytes, filled);
          filled += bytes.length;
        },
        async close() {
          await flush();
          await handle.close();
        },
      };
    },
    source: (name) => fileSource(join(path, name)),
  };
}
