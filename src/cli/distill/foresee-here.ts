import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateJob } from '../../pipeline/validate-job.ts';
import type { CliIo } from '../command.ts';
import type { DistillOptions } from './distill-options.ts';
import { localJob, storeIn } from './local-job.ts';
import { printValidation } from './print-validation.ts';

/** Kilobytes on every system. */
const peakMemory = (): number => 1024 * process.resourceUsage().maxRSS;

/** What the job would meet and cost in this process; work is kept for it where it would look, else thrown away. */
export async function foreseeHere(options: DistillOptions, io: CliIo): Promise<void> {
  const { store = options.out && storeIn(options.out) } = options;
  const scratch = store ?? (await mkdtemp(join(tmpdir(), 'retort-foresee-')));
  try {
    const found = await localJob(options, scratch, io, (request, tools) =>
      validateJob(request, tools, peakMemory),
    );
    printValidation(found, io);
  } finally {
    if (store === undefined) await rm(scratch, { recursive: true, force: true });
  }
}
