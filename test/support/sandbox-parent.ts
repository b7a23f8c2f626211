import { ProcessPool } from '../../src/adapters/processes/process-pool.ts';

/** A process with a spare child, there to be killed. */
new ProcessPool({
  entry: new URL('./misbehaving-child.ts', import.meta.url),
  environment: { PATH: process.env.PATH ?? '' },
  scratch: process.argv[2]!,
  ceilings: { cpuSeconds: 600, fileBytes: 1e9, heapBytes: 1e9 },
  concurrency: 1,
  spare: true,
});
setInterval(() => {}, 1000);
