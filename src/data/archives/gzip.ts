import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Limits } from '../upload.ts';
import { checkExpansion, unreadable } from './limits.ts';

/** Whether these first bytes are gzip's. */
export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** Unpacks gzip as it streams; DATA_UNREADABLE when damaged, cut short or a bomb. */
export async function* gunzip(
  input: AsyncIterable<Uint8Array>,
  name: string,
  limits: Limits,
): AsyncGenerator<Uint8Array> {
  let packed = 0;
  let unpacked = 0;
  let foreign: unknown;
  const counted = async function* () {
    try {
      for await (const chunk of input) {
        packed += chunk.length;
        yield chunk;
      }
    } catch (error) {
      foreign = error;
      throw error;
    }
  };
  const stream = createGunzip({ chunkSize: 256 * 1024 });
  pipeline(Readable.from(counted()), stream, () => {});
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      unpacked += chunk.length;
      checkExpansion(name, packed, unpacked, limits);
      yield chunk;
    }
  } catch (error) {
    if (foreign !== undefined) throw foreign;
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw unreadable(name, `is a damaged or cut gzip file (${error.message})`, error);
    }
    throw error;
  }
}
