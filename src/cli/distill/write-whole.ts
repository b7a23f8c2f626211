import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Writes a file into a folder; it appears under its name whole or not at all. */
export async function writeWhole(
  folder: string,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${name}.part`);
  try {
    await pipeline(bytes, createWriteStream(temporary), { ...(signal ? { signal } : {}) });
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
