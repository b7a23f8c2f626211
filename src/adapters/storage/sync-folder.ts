import { open } from 'node:fs/promises';

/** Makes a rename in this folder durable. Some systems refuse to open folders; there it is not needed. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  try {
    await folder?.sync().catch(() => undefined);
  } finally {
    await folder?.close();
  }
}
