import type { FileHandle } from 'node:fs/promises';

/** Bytes read from the end at first; twice as many until a whole line is among them. */
const TAIL = 4096;
const NEWLINE = 10;

/** The last whole line of a file (`''`: there is none) and the byte after it; half a line at the end does not count. */
export async function lastLine(file: FileHandle): Promise<{ readonly text: string; readonly end: number }> {
  const { size } = await file.stat();
  for (let length = Math.min(size, TAIL); ; length = Math.min(size, 2 * length)) {
    const tail = await readAt(file, size - length, length);
    const end = tail.lastIndexOf(NEWLINE) + 1;
    const start = end > 1 ? tail.lastIndexOf(NEWLINE, end - 2) + 1 : 0;
    if (start === 0 && length < size) continue;
    return { text: tail.toString('utf8', start, Math.max(start, end - 1)), end: size - length + end };
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}
