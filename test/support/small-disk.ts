import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mount = (size: string, folder: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);

/** Why no small disk can be had here; undefined where it can. */
export const noDisk = ((): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'retort-full-'));
  try {
    const { status, stderr, error } = mount('64k', folder);
    if (status !== 0) return `no tmpfs can be mounted here: ${error?.message ?? stderr.toString().trim()}`;
    spawnSync('umount', [folder]);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
})();

/** Runs `body` on a disk of so many MiB. */
export async function onSmallDisk(mebibytes: number, body: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'retort-full-'));
  assert.equal(mount(`${mebibytes}m`, root).status, 0);
  try {
    await body(root);
  } finally {
    // Whoever still has a file open keeps the disk, not the folder.
    spawnSync('umount', ['-l', root]);
    rmSync(root, { recursive: true });
  }
}

/** Leaves so many bytes free; fewer where others write meanwhile. */
export async function fill(root: string, left: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const ballast = Buffer.alloc(Math.max(0, bavail * bsize - left));
  await writeFile(join(root, 'ballast'), ballast).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error;
  });
}

export const unfill = (root: string): Promise<void> => rm(join(root, 'ballast'), { force: true });
