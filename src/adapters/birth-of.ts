import { readFileSync } from 'node:fs';

/**
 * When a process of this machine started, in ticks since boot: with its id it names one process for good, for ids are
 * used again. '' where the system does not tell; undefined where it does not run. One that has ended and was not
 * collected yet does not run: in a container without an init nobody collects orphans.
 */
export function birthOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  if (process.platform !== 'linux') return '';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // "pid (name) state ...", where the name may hold anything; the start is the 22nd field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : (fields[19] ?? '');
  } catch {
    return '';
  }
}

export const isRunning = (pid: number): boolean => birthOf(pid) !== undefined;
