import type { Config } from '../src/config.ts';
import type { JobRecord } from '../src/service/jobs/job.ts';
import type { Assignment } from './messages.ts';

/** What every child of a job is told, whether it runs the job or helps with it. */
export function assignmentOf(job: JobRecord, device: Assignment['device'], config: Config): Assignment {
  const slots = device === 'cuda' ? config.RETORT_SLOTS_CUDA : config.RETORT_SLOTS_CPU;
  return {
    inputs: job.inputs,
    requested: job.requested,
    resolved: job.resolved,
    device,
    threads: slots > 1 ? Math.max(1, Math.floor(config.cores / slots)) : 0,
    offerAboveMs: null,
    help: null,
  };
}
