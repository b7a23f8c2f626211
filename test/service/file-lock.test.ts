import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withFileLock } from '../../src/adapters/storage/file-lock.ts';
import { holderText } from '../../src/adapters/storage/lock-holder.ts';

/** A lock outlives neither its holder nor a reboot, and no process of another container takes it. */

const HOLDER = fileURLToPath(new URL('../support/hold-lock.ts', import.meta.url));

async function lockPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-lock-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'lock');
}

/** Milliseconds until the lock was had. */
async function waitFor(path: string): Promise<number> {
  const start = performance.now();
  await withFileLock(path, async () => {});
  return performance.now() - start;
}

/** A process that holds the lock until it is killed. */
async function hold(t: TestContext, path: string, ...wrapper: readonly string[]) {
  const [program, ...args] = [...wrapper, process.execPath, '--import', 'tsx', HOLDER, path];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(createInterface(child.stdout), 'line');
  return child;
}

test('a lock is held by one at a time', async (t) => {
  const path = await lockPath(t);
  let [inside, most] = [0, 0];
  const enter = (): Promise<void> =>
    withFileLock(path, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(2);
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 20 }, enter));
  assert.equal(most, 1);
});

test('the lock of a process that was killed is taken over at once', async (t) => {
  const path = await lockPath(t);
  const child = await hold(t, path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok((await waitFor(path)) < 2000);
});

test('a lock is not kept by a later process that has the number of its holder', {
  skip: process.platform === 'linux' ? false : 'only Linux tells when a process started',
}, async (t) => {
  const path = await lockPath(t);
  // As after a reboot, or in a container that was started again: the same number, another process.
  await writeFile(path, JSON.stringify({ ...JSON.parse(holderText()), born: '1' }));
  assert.ok((await waitFor(path)) < 2000);
});

const container = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const noContainers =
  process.platform === 'linux' && spawnSync(container[0]!, [...container.slice(1), 'true']).status === 0
    ? false
    : 'this user may not make a PID namespace';

test('a lock held in another container is respected, and taken over some seconds after its holder is killed', {
  skip: noContainers,
}, async (t) => {
  const path = await lockPath(t);
  const child = await hold(t, path, ...container);
  const { pid } = JSON.parse(await readFile(path, 'utf8')) as { pid: number };
  assert.ok(pid < 10, `${pid} is not a number of another namespace`);
  let got = false;
  const waiting = waitFor(path).then((milliseconds) => {
    got = true;
    return milliseconds;
  });
  await sleep(7500);
  assert.equal(got, false, 'it was taken from a living holder');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok((await waiting) < 18_000);
});
