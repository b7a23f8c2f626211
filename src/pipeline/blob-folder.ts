import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Folder } from '../data/folder.ts';
import { RetortError } from '../errors.ts';
import type { BlobRef, BlobStore } from './ports.ts';

/** A decoded dataset as blobs: each file of the folder is one, and `files` is the folder. */
export class BlobFolder implements Folder {
  readonly #blobs: BlobStore;
  readonly files: Record<string, BlobRef>;

  constructor(blobs: BlobStore, files: Readonly<Record<string, BlobRef>> = {}) {
    this.#blobs = blobs;
    this.files = { ...files };
  }

  async writer(name: string) {
    const pipe = new PassThrough({ highWaterMark: 1 << 20 });
    const stored = this.#blobs.put(pipe);
    // A failed store ends the pipe, so that the write or the close that meets it reports it.
    stored.catch((error) => pipe.destroy(error as Error));
    return {
      write: async (bytes: Uint8Array) => {
        if (!pipe.write(bytes.slice())) await once(pipe, 'drain');
      },
      close: async () => {
        pipe.end();
        this.files[name] = await stored;
      },
    };
  }

  async source(name: string) {
    const ref = this.files[name];
    if (!ref) throw new RetortError('FILE_UNREADABLE', `the decoded dataset has no ${name}`);
    return this.#blobs.source(ref.hash);
  }
}
