import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bin/retort.js', import.meta.url));

/** Runs the command line as a user would, its output on this terminal; ends this process where it fails. */
export function retort(...args: readonly string[]): void {
  const { status, error } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
