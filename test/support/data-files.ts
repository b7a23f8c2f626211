import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import yazl from 'yazl';
import type { Folder } from '../../src/data/folder.ts';
import type { Source } from '../../src/data/format.ts';
import type { PictureDecoder } from '../../src/data/picture.ts';
import { RetortError } from '../../src/errors.ts';

/** A file in memory that hands out its bytes in small chunks, so that readers meet every boundary. */
export function memorySource(name: string, bytes: Uint8Array, chunk = 997): Source {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    async *stream(offset = 0, end = bytes.length) {
      for (let at = offset; at < end; at += chunk) yield bytes.slice(at, Math.min(end, at + chunk));
    },
  };
}

export class MemoryFolder implements Folder {
  readonly files = new Map<string, Uint8Array>();

  async writer(name: string) {
    const parts: Uint8Array[] = [];
    return {
      write: async (bytes: Uint8Array) => void parts.push(bytes.slice()),
      close: async () => void this.files.set(name, Buffer.concat(parts)),
    };
  }

  async source(name: string) {
    const bytes = this.files.get(name);
    if (!bytes) throw new RetortError('FILE_UNREADABLE', `${name} is not there`);
    return { ...memorySource(name, new Uint8Array(bytes)), close: async () => {} };
  }
}

/** For formats whose pictures come decoded: passes them on, and has no codec. */
export const noCodec: PictureDecoder = {
  decode: async (picture) => ('encoded' in picture ? { reason: 'no codec in this test' } : picture),
};

export type Files = readonly (readonly [path: string, content: Uint8Array | string])[];

export async function zipOf(files: Files, compress = true): Promise<Uint8Array> {
  const zip = new yazl.ZipFile();
  for (const [path, content] of files) zip.addBuffer(Buffer.from(content as string), path, { compress });
  zip.end();
  return gather(zip.outputStream as AsyncIterable<Uint8Array>);
}

export async function tarOf(files: Files, links: readonly string[] = []): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, content] of files) tar.entry({ name }, Buffer.from(content as string));
  for (const name of links) tar.entry({ name, type: 'symlink', linkname: '/etc/passwd' });
  tar.finalize();
  return gather(tar as AsyncIterable<unknown> as AsyncIterable<Uint8Array>);
}

export const gz = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** IDX of unsigned bytes. */
export function idxOf(dims: readonly number[], data: Uint8Array, type = 8): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.set([0, 0, type, dims.length]);
  for (const [i, dim] of dims.entries()) header.writeUInt32BE(dim, 4 + 4 * i);
  return new Uint8Array(Buffer.concat([header, data]));
}

/** NPY version 1; `descr` as NumPy writes it. */
export function npyOf(
  descr: string,
  dims: readonly number[],
  data: ArrayBufferView,
  fortran = false,
): Uint8Array {
  const shape = `(${dims.join(', ')}${dims.length === 1 ? ',' : ''})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11, ' ')}\n`;
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY', 0, 'latin1');
  head[6] = 1;
  head.writeUInt16LE(header.length, 8);
  return new Uint8Array(
    Buffer.concat([head, Buffer.from(header), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  );
}

/** Whether an error is a RetortError of this code, its message matching. */
export const failsWith =
  (code: string, message?: RegExp) =>
  (error: unknown): boolean => {
    if (!(error instanceof RetortError) || error.code !== code) throw error;
    if (message && !message.test(error.message)) throw error;
    return true;
  };
