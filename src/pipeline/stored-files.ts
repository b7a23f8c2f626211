import type { BlobStore } from './ports.ts';
import type { Artifact } from './stage.ts';

/** Stored files in memory, by name. */
export async function storedFiles(
  files: readonly Artifact[],
  blobs: BlobStore,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = files.map(async ({ name, hash }) => [name, await blobs.get(hash)] as const);
  return new Map(await Promise.all(entries));
}
