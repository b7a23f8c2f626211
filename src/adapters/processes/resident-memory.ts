import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resident memory of a process in bytes; undefined once it is gone, and where the system does not tell. */
export async function residentMemory(pid: number): Promise<number | undefined> {
  if (process.platform === 'win32') return undefined;
  // In kilobytes whatever the page size, unlike statm; a process that has ended but was not waited for has no such line.
  if (process.platform === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
    return kilobytes(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  }
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', `${pid}`]).catch(() => ({ stdout: '' }));
  return kilobytes(stdout.trim());
}

const kilobytes = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text) * 1024;
