import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessSandbox, type SandboxOptions } from '../../src/adapters/processes/process-sandbox.ts';
import { fsStores, type Stores } from '../../src/adapters/storage/fs-stores.ts';
import { readConfig } from '../../src/config.ts';
import type { Source } from '../../src/data/format.ts';
import type { Artifact } from '../../src/pipeline/stage.ts';

export interface SandboxStage extends Stores {
  readonly sandbox: ProcessSandbox;
  /** The working folders of all processes. */
  readonly scratch: string;
  readonly dataFolder: string;
  put(name: string, bytes: Uint8Array): Promise<Artifact>;
  putAll(files: readonly Source[]): Promise<readonly Artifact[]>;
}

const misbehaving = new URL('./misbehaving-child.ts', import.meta.url);

/** A sandbox over stores in a folder of its own. Fails when a process or a folder of it is left at the end. */
export async function withSandbox(
  body: (stage: SandboxStage) => Promise<void>,
  {
    settings = {},
    misbehave = false,
    ...options
  }: Partial<Omit<SandboxOptions, 'config'>> & {
    readonly settings?: Readonly<Record<string, string>>;
    /** Its processes run test/support/misbehaving-child.ts. */
    readonly misbehave?: boolean;
  } = {},
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'retort-sandbox-test-'));
  const scratch = await mkdtemp(join(tmpdir(), 'retort-sandbox-scratch-'));
  const stores = fsStores(root);
  const put = async (name: string, data: Uint8Array | AsyncIterable<Uint8Array>): Promise<Artifact> => ({
    name,
    ...(await stores.blobs.put(data)),
  });
  const sandbox = new ProcessSandbox({
    config: readConfig({ ...settings, RETORT_DATA: root }),
    scratch,
    ...(misbehave ? { entry: misbehaving, spare: false } : {}),
    ...options,
  });
  let left: string[] = [];
  try {
    await body({
      ...stores,
      sandbox,
      scratch,
      dataFolder: root,
      put,
      putAll: (files) => Promise.all(files.map((file) => put(file.name, file.stream()))),
    });
  } finally {
    await sandbox.close();
    left = [...readdirSync(scratch), ...processesIn(scratch)];
    await Promise.all([root, scratch].map((folder) => rm(folder, { recursive: true, force: true })));
  }
  assert.deepEqual(left, [], 'processes and folders of the sandbox are left behind');
}

/** Processes whose environment names this folder (Linux only). */
export function processesIn(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(folder);
    } catch {
      // It ended meanwhile, or is not ours to read.
      return false;
    }
  });
}
