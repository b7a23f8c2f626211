import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const shared = resolve(root, process.env.RETORT_SHARED ?? '../shared');

/** Where a shared fixture lies (`fixtures/teachers/...`, `gradzoo/...`); undefined where the machine has none. */
export function fixture(path: string): string | undefined {
  const file = join(shared, path);
  return existsSync(file) ? file : undefined;
}
