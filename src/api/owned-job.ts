import type { FastifyRequest } from 'fastify';
import { RetortError } from '../errors.ts';
import type { JobRecord } from '../service/job.ts';
import type { ApiContext } from './context.ts';
import { ownerFilter } from './principal.ts';

/** A job that the caller may know of; NOT_FOUND for all others, so that ids tell nothing. */
export async function ownedJob(
  { principal }: FastifyRequest,
  id: string,
  { distillations }: Pick<ApiContext, 'distillations'>,
): Promise<JobRecord> {
  const job = await distillations.get(id);
  const { owner = job.owner } = ownerFilter(principal);
  if (job.owner !== owner) throw new RetortError('NOT_FOUND', `there is no distillation ${id}`);
  return job;
}
