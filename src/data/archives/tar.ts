import { pipeline, Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { RetortError } from '../../errors.ts';
import type { Entry, Limits } from '../upload.ts';
import { checkExpansion, collect, headOf, safePath, unreadable } from './limits.ts';

/** Whether this first block is a tar header: its checksum field holds the sum of its bytes. */
export function isTar(head: Uint8Array): boolean {
  if (head.length < 512) return false;
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : head[i]!;
  const field = String.fromCharCode(...head.subarray(148, 156))
    .replace(/\0.*$/s, '')
    .trim();
  return /^[0-7]+$/.test(field) && Number.parseInt(field, 8) === sum && sum > 256;
}

/**
 * The files of a tar stream, as they lie. An entry is cheap to read while the walk stands on it; later it is found by
 * walking again.
 */
export async function* readTar(
  open: () => AsyncIterable<Uint8Array>,
  name: string,
  limits: Limits,
): AsyncGenerator<Entry> {
  const tar = extract();
  let packed = 0;
  let unpacked = 0;
  let count = 0;
  let foreign: unknown;
  const counted = async function* () {
    try {
      for await (const chunk of open()) {
        packed += chunk.length;
        yield chunk;
      }
    } catch (error) {
      foreign = error;
      throw error;
    }
  };
  // Errors reach the walk below. Unheard events (of a walk that was left, of a body not read) would end the process.
  tar.on('error', () => {});
  pipeline(Readable.from(counted()), tar, () => {});
  try {
    for await (const body of tar) {
      body.on('error', () => {});
      const { header } = body;
      const path = safePath(header.name, name);
      const size = header.size ?? 0;
      if (++count > limits.entries) throw unreadable(name, `holds more than ${limits.entries} entries`);
      if (size > limits.entryBytes)
        throw unreadable(name, `entry ${path} is larger than ${limits.entryBytes} bytes`);
      unpacked += size;
      checkExpansion(name, Math.max(packed, 1), unpacked, limits);
      if (header.type !== 'directory') {
        const live = { body: body as AsyncIterable<Uint8Array> | undefined };
        yield tarEntry(path, size, header.type ?? 'file', live);
        if (live.body === undefined) continue;
        live.body = undefined;
      }
      for await (const _ of body) {
        // Drained: the walk goes on only when the body is read.
      }
    }
  } catch (error) {
    throw broken(error);
  }

  /** What a failure of the walk or of a body means: someone else's error, or a damaged archive. */
  function broken(error: unknown): unknown {
    if (foreign !== undefined) return foreign;
    if (error instanceof RetortError) return error;
    return unreadable(
      name,
      `is not a whole tar archive (${error instanceof Error ? error.message : error})`,
      error,
    );
  }

  function tarEntry(
    path: string,
    size: number,
    type: string,
    live: { body: AsyncIterable<Uint8Array> | undefined },
  ): Entry {
    const title = `${name}/${path}`;
    let bytes: Promise<Uint8Array> | undefined;
    const isPlain = type === 'file' || type === 'contiguous-file';
    const plain = () => {
      if (!isPlain) throw unreadable(title, `is not a plain file but a ${type}`);
    };
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      plain();
      const body = live.body;
      if (body) {
        live.body = undefined;
        try {
          yield* body;
        } catch (error) {
          throw broken(error);
        }
      } else yield* again();
    };
    const again = async function* (): AsyncGenerator<Uint8Array> {
      plain();
      for await (const entry of readTar(open, name, limits)) {
        if (entry.path === path) {
          yield* entry.stream();
          return;
        }
      }
    };
    /** Small bodies are kept while the entry is in use, so that looking at the head does not spend the body. */
    const keep = () => {
      bytes ??= collect(stream(), title, limits.memoryBytes);
      return bytes;
    };
    return {
      path,
      size,
      stream: () => (bytes ? once(bytes) : stream()),
      head: async (count) => {
        if (!isPlain) return new Uint8Array(0);
        return size <= 16 * 2 ** 20 ? (await keep()).subarray(0, count) : headOf(again(), count);
      },
      read: keep,
    };
  }
}

async function* once(bytes: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await bytes;
}
