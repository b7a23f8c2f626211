import { randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetortError } from '../../errors.ts';
import { absent } from './absent.ts';
import { holderEnded, holderText } from './lock-holder.ts';

const GIVE_UP_MS = 20_000;
/** A holder shows itself by the lock's time; one of whom nothing else is known has ended when it stands still. */
const SHOW_EVERY_MS = 1000;
const STILL_MS = 6000;
/** Longer than taking a lock away takes by far. */
const BREAKING_MS = 10_000;

/**
 * Runs `body` while holding `path` as a lock between processes that share a folder, in other containers too; a dead
 * holder's lock is taken over.
 */
export async function withFileLock<T>(path: string, body: () => Promise<T>): Promise<T> {
  const mine = `${path}.${randomUUID()}`;
  try {
    await writeFile(mine, holderText());
    await acquire(path, mine);
    // The lock is a second name of the same file.
    const showing = setInterval(() => {
      const now = new Date();
      utimes(mine, now, now).catch(() => {});
    }, SHOW_EVERY_MS).unref();
    try {
      return await body();
    } finally {
      clearInterval(showing);
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
  const start = performance.now();
  let [seen, since] = ['', start];
  for (let pause = 1; ; pause += 1 + Math.floor(pause / 20)) {
    // link, not open('wx'): the lock appears with its holder already in it.
    const taken = await link(mine, path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    if (taken) return;
    const [holder, shown] = await Promise.all([
      readFile(path, 'utf8').catch(() => ''),
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ]);
    const now = performance.now();
    if (seen !== `${holder}${shown}`) [seen, since] = [`${holder}${shown}`, now];
    if (holder !== '') {
      const ended = holderEnded(holder);
      // Clocks of two machines are not compared: that it stood still is seen by waiting.
      if (ended ?? now - since > STILL_MS) await dropStale(path, mine, holder);
    }
    if (now - start > GIVE_UP_MS) {
      throw new RetortError('STORE_CONFLICT', `${path} is held by ${holder || 'nobody known'}`);
    }
    await sleep(Math.min(pause, 500));
  }
}

/**
 * Takes away the lock of a holder that has ended, under a lock of its own: of two that saw the dead holder, the slower
 * would take away what the faster has just got. Whoever died in doing so is waited for.
 */
async function dropStale(path: string, mine: string, holder: string): Promise<void> {
  const breaking = `${path}.breaking`;
  const alone = await link(mine, breaking).then(
    () => true,
    () => false,
  );
  if (!alone) {
    const shown = await stat(breaking).catch(absent);
    if (shown && Date.now() - shown.ctimeMs > BREAKING_MS) await rm(breaking, { force: true });
    return;
  }
  try {
    const found = await readFile(path, 'utf8').catch(() => '');
    if (found === holder) await rm(path, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}
