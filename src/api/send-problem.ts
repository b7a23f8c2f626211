import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../contract/problem.ts';
import { catalogue } from '../errors.ts';
import { type Fault, faultOf } from '../service/fault.ts';
import { knownError } from './known-error.ts';

/** Seconds after which a request may be repeated, where nothing better is known. */
const RETRY_AFTER = 5;

/** An error as the body of its response. */
export function problemOf(fault: Fault, status: number, instance: string, requestId: string): Problem {
  const { code, message, hint, problems, facts } = fault;
  const { meaning, retry } = catalogue[code];
  return {
    type: `/v1/errors/${code}`,
    title: meaning,
    status,
    detail: message,
    instance,
    code,
    ...(hint === null ? {} : { hint }),
    ...(problems.length > 0 ? { problems: [...problems] } : {}),
    ...(Object.keys(facts).length > 0 ? { facts } : {}),
    retryable: retry === 'later',
    requestId,
  };
}

/** Answers with what was thrown. Whatever is not foreseen is INTERNAL: its text stays in the log. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
  otherStatus?: number,
): FastifyReply {
  const known = knownError(thrown);
  const fault = faultOf(known?.error ?? thrown);
  const status = otherStatus ?? known?.status ?? catalogue[fault.code].http;
  if (status >= 500) request.log.error({ err: thrown, code: fault.code }, fault.message);
  else request.log.info({ code: fault.code }, fault.message);
  const problem = problemOf(fault, status, pathOf(request.url), request.id);
  if ((status === 429 || status === 503) && problem.retryable && !reply.hasHeader('retry-after')) {
    void reply.header('retry-after', RETRY_AFTER);
  }
  void reply.header('cache-control', 'no-store');
  // The rest of a body nobody reads would be taken for the next request.
  if (!request.raw.complete) void reply.header('connection', 'close');
  // As bytes: to text Fastify would add a charset, which this type does not have.
  return reply
    .code(status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}

/** Without the query, which may hold what should not be repeated. */
const pathOf = (url: string): string => url.split('?', 1)[0]!.slice(0, 500);
