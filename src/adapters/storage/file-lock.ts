import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetortError } from '../../errors.ts';
import { absent } from './absent.ts';

const GIVE_UP_MS = 20_000;

/** Runs `body` while holding `path` as a lock between processes of this machine; a dead holder's lock is taken over. */
export async function withFileLock<T>(path: string, body: () => Promise<T>): Promise<T> {
  const mine = `${path}.${randomUUID()}`;
  try {
    await writeFile(mine, `${process.pid}`);
    await acquire(path, mine);
    try {
      return await body();
    } finally {
      await release(path, mine);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Where the folder was deleted meanwhile, the lock that lies there now may be another's. */
async function release(path: string, mine: string): Promise<void> {
  const [lock, own] = await Promise.all([stat(path).catch(absent), stat(mine).catch(absent)]);
  if (lock !== undefined && lock.ino === own?.ino) await rm(path, { force: true });
}

async function acquire(path: string, mine: string): Promise<void> {
  for (let waited = 0; ; ) {
    // link, not open('wx'): the lock appears with its holder's id already in it.
    const taken = await link(mine, path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    if (taken) return;
    const holder = Number(await readFile(path, 'utf8').catch(() => '')) || undefined;
    if (holder !== undefined && !alive(holder)) await dropStale(path, mine, holder);
    if (waited > GIVE_UP_MS) {
      throw new RetortError('STORE_CONFLICT', `${path} is held by process ${holder ?? 'unknown'}`);
    }
    const pause = 1 + Math.floor(waited / 20);
    await sleep(pause);
    waited += pause;
  }
}

/** Moves the lock aside and looks again: if someone else had just taken it over, it is given back. */
async function dropStale(path: string, mine: string, holder: number): Promise<void> {
  const aside = `${mine}.stale`;
  await rename(path, aside).catch(() => undefined);
  const found = Number(await readFile(aside, 'utf8').catch(() => ''));
  if (found && found !== holder) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
