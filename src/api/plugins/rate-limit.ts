import rateLimitPlugin from '@fastify/rate-limit';
import { RetortError } from '../../errors.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { localPrincipal } from '../principal.ts';

/** Requests a minute for each key, or for each address where there are no keys. Counted by each process for itself. */
export async function rateLimit(app: Api, { config }: ApiContext): Promise<void> {
  await app.register(rateLimitPlugin, {
    max: ({ principal }) => principal?.limits.requestsPerMinute ?? config.RETORT_RATE_LIMIT,
    timeWindow: 60_000,
    cache: 20_000,
    keyGenerator: ({ principal, ip }) =>
      principal && principal.id !== localPrincipal.id ? `key:${principal.id}` : `ip:${ip}`,
    errorResponseBuilder: (_request, { max }) =>
      new RetortError('RATE_LIMITED', `more than ${max} requests came within a minute`, {
        hint: 'Wait as long as Retry-After says; follow jobs by their event stream instead of asking again and again.',
      }),
  });
}
