import { fileURLToPath } from 'node:url';

/** What the system itself holds a process to, from its first moment on. */
export interface Ceilings {
  /** CPU time of all its threads, seconds. */
  readonly cpuSeconds: number;
  /** Largest file it may write, bytes. */
  readonly fileBytes: number;
  /** Largest JavaScript heap, bytes. Tensors lie outside of it. */
  readonly heapBytes: number;
}

/** Seconds between the signal at the CPU limit and the kill. */
const GRACE = 5;

/** The command line of a Node process under these ceilings that runs a module of ours. */
export function limitedCommand(entry: URL, ceilings: Ceilings): readonly [string, ...string[]] {
  const heap = Math.max(64, Math.floor(ceilings.heapBytes / 2 ** 20));
  const node = [
    process.execPath,
    `--max-old-space-size=${heap}`,
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(entry),
  ] as const;
  if (process.platform === 'win32') return [...node];
  const cpu = Math.max(1, Math.ceil(ceilings.cpuSeconds));
  // In blocks of 512 bytes.
  const blocks = Math.max(1, Math.floor(ceilings.fileBytes / 512));
  // A lower limit that stands already is kept. No core dumps: they would hold the user's data.
  const limits = ['-c 0', `-S -t ${cpu}`, `-H -t ${cpu + GRACE}`, `-f ${blocks}`].map(
    (limit) => `ulimit ${limit} 2>/dev/null`,
  );
  // Where memory runs out on Linux, this process is to go first.
  const first = '{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null';
  return ['/bin/sh', '-c', [...limits, first, 'exec "$0" "$@"'].join('; '), ...node];
}
