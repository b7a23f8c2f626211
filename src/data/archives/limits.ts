import { RetortError } from '../../errors.ts';
import type { Limits } from '../upload.ts';

/** An archive that cannot be read or must not be. */
export const unreadable = (name: string, why: string, cause?: unknown): RetortError =>
  new RetortError('DATA_UNREADABLE', `${name}: ${why}`, cause === undefined ? {} : { cause });

/** Throws when so many unpacked bytes out of so many packed ones look like a bomb. */
export function checkExpansion(name: string, packed: number, unpacked: number, limits: Limits): void {
  if (unpacked > limits.totalBytes) {
    throw unreadable(name, `unpacks to more than ${limits.totalBytes} bytes`);
  }
  if (unpacked > limits.ratioFloor && unpacked > packed * limits.ratio) {
    throw unreadable(name, `unpacks to more than ${limits.ratio} times its size, which looks like a bomb`);
  }
}

/** The path as relative segments; throws when it is absolute or leaves the archive. */
export function safePath(path: string, archive: string): string {
  const unix = path.replaceAll('\\', '/');
  const segments = unix.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (unix.startsWith('/') || /^[A-Za-z]:/.test(unix) || segments.includes('..') || unix.includes('\0')) {
    throw unreadable(archive, `entry ${JSON.stringify(path)} leaves the archive, which is unsafe`);
  }
  return segments.join('/');
}

/** Litter that archivers of desktop systems leave behind. */
export const isLitter = (path: string): boolean =>
  path
    .split('/')
    .some(
      (segment) =>
        segment.startsWith('.') || segment === '__MACOSX' || /^(thumbs\.db|desktop\.ini)$/i.test(segment),
    );

/** All chunks as one array; throws above `limit` bytes. */
export async function collect(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  limit: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) throw unreadable(name, `is larger than ${limit} bytes`);
    parts.push(chunk);
  }
  return join(parts, length);
}

/** The first `bytes` of a stream, the rest unread. */
export async function headOf(chunks: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return join(parts, length).subarray(0, bytes);
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
