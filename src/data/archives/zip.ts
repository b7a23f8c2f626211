import { Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import yauzl from 'yauzl';
import { RetortError } from '../../errors.ts';
import type { Source } from '../format.ts';
import type { Entry, Limits } from '../upload.ts';
import { checkExpansion, collect, headOf, safePath, unreadable } from './limits.ts';

/** Whether these first bytes are those of a zip archive, possibly an empty one. */
export const isZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 &&
  head[1] === 0x4b &&
  ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));

/** The files of a zip archive, by path. Its directory is read at once, its content by position. */
export async function readZip(source: Source, limits: Limits): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  let total = 0;
  try {
    const zip = await yauzl.fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
      lazyEntries: true,
      autoClose: false,
    });
    if (zip.entryCount > limits.entries) {
      throw unreadable(source.name, `holds ${zip.entryCount} entries, more than ${limits.entries}`);
    }
    for await (const record of zip.eachEntry()) {
      const path = safePath(record.fileName, source.name);
      if (record.fileName.endsWith('/')) continue;
      if (record.isEncrypted()) throw unreadable(source.name, `entry ${path} is encrypted`);
      if (record.uncompressedSize > limits.entryBytes) {
        throw unreadable(source.name, `entry ${path} unpacks to more than ${limits.entryBytes} bytes`);
      }
      if (seen.has(path)) throw unreadable(source.name, `holds ${path} twice`);
      seen.add(path);
      total += record.uncompressedSize;
      checkExpansion(source.name, source.size, total, limits);
      entries.push(zipEntry(source, record, path, limits));
    }
  } catch (error) {
    if (error instanceof RetortError) throw error;
    throw unreadable(
      source.name,
      `is not a whole zip archive (${error instanceof Error ? error.message : error})`,
      error,
    );
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function zipEntry(source: Source, record: yauzl.Entry, path: string, limits: Limits): Entry {
  const name = `${source.name}/${path}`;
  const size = record.uncompressedSize;
  const isLink = ((record.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
  const method = record.compressionMethod;
  /** The packed bytes from the local header on; the header's own extra field may differ from the directory's. */
  const packed = async (): Promise<Uint8Array> => {
    if (isLink) throw unreadable(name, 'is a symbolic link');
    if (method !== 0 && method !== 8) throw unreadable(name, `uses compression method ${method}`);
    const start = record.relativeOffsetOfLocalHeader;
    const guess = 30 + record.fileNameLength + record.extraFieldLength + 32 + record.compressedSize;
    const bytes = await source.read(start, Math.min(guess, source.size - start));
    if (bytes.length < 30 || bytes[0] !== 0x50 || bytes[1] !== 0x4b || bytes[2] !== 3 || bytes[3] !== 4) {
      throw unreadable(name, 'has no local header');
    }
    const data = 30 + (bytes[26]! | (bytes[27]! << 8)) + (bytes[28]! | (bytes[29]! << 8));
    const end = data + record.compressedSize;
    if (end <= bytes.length) return bytes.subarray(data, end);
    if (start + end > source.size) throw unreadable(name, 'is cut short');
    return source.read(start + data, record.compressedSize);
  };
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    const bytes = await packed();
    const unpacked = method === 0 ? [bytes] : Readable.from([bytes]).pipe(createInflateRaw());
    let made = 0;
    let sum = 0;
    try {
      for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
        made += chunk.length;
        sum = crc32(chunk, sum);
        if (made > size) break;
        yield chunk;
      }
    } catch (error) {
      throw unreadable(name, 'is damaged', error);
    }
    if (made !== size || sum !== record.crc32) throw unreadable(name, 'is damaged');
  };
  return {
    path,
    size,
    stream,
    head: async (bytes) => {
      if (size > 2 ** 20) return headOf(stream(), bytes);
      return (await inflate()).subarray(0, bytes);
    },
    read: async () => {
      if (size > limits.memoryBytes) throw unreadable(name, `is larger than ${limits.memoryBytes} bytes`);
      return size > 2 ** 20 ? collect(stream(), name, limits.memoryBytes) : inflate();
    },
  };
  /** Small entries at once: a stream for each of 100,000 pictures would cost more than the pictures. */
  async function inflate(): Promise<Uint8Array> {
    const bytes = await packed();
    let unpacked: Uint8Array;
    try {
      unpacked = method === 0 ? bytes : inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
    } catch (error) {
      throw unreadable(name, 'is damaged', error);
    }
    if (unpacked.length !== size || crc32(unpacked) !== record.crc32) throw unreadable(name, 'is damaged');
    return unpacked;
  }
}

const BLOCK = 1 << 20;

/** yauzl reads the directory in tiny pieces; one block is kept so that each is not a read of its own. */
class SourceReader extends yauzl.RandomAccessReader {
  readonly #source: Source;
  #start = 0;
  #block: Uint8Array = new Uint8Array(0);

  constructor(source: Source) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const inside = position >= this.#start && position + length <= this.#start + this.#block.length;
    const ready = inside ? Promise.resolve() : this.#load(position, length);
    ready
      .then(() => {
        const from = position - this.#start;
        if (this.#block.length < from + length) throw new Error('unexpected end of the file');
        buffer.set(this.#block.subarray(from, from + length), offset);
      })
      .then(() => callback(null), callback);
  }

  async #load(position: number, length: number): Promise<void> {
    const end = Math.min(this.#source.size, position + Math.max(length, BLOCK));
    this.#block = await this.#source.read(position, Math.max(0, end - position));
    this.#start = position;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#source.stream(start, end));
  }
}
