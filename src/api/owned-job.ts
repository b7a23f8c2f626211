import type { FastifyRequest } from 'fastify';
import type { JobRecord } from '../service/jobs/job.ts';
import type { ApiContext } from './context.ts';
import { mine } from './mine.ts';

/** A job that the caller may know of; NOT_FOUND for all others, so that ids tell nothing. */
export async function ownedJob(
  { principal }: FastifyRequest,
  id: string,
  { distillations }: Pick<ApiContext, 'distillations'>,
): Promise<JobRecord> {
  return mine(principal, await distillations.get(id));
}
