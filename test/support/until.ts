import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `holds` says yes; fails with `what` after `patienceMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = 10_000,
): Promise<void> {
  for (const end = performance.now() + patienceMs; !(await holds()); await sleep(20))
    assert.ok(performance.now() < end, `not within ${patienceMs} ms: ${what}`);
}
