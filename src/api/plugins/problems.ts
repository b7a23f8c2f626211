import { RetortError } from '../../errors.ts';
import type { Api } from '../api.ts';
import { sendProblem } from '../send-problem.ts';
import { drainBody } from '../uploads/drain-body.ts';

/** Every error, wherever it comes from, leaves as `application/problem+json`. */
export function problems(app: Api): void {
  app.setErrorHandler(async (error, request, reply) => {
    await drainBody(request.raw);
    return sendProblem(request, reply, error);
  });
  app.setNotFoundHandler(async (request, reply) => {
    await drainBody(request.raw);
    const missing = new RetortError(
      'NOT_FOUND',
      `there is no ${request.method} ${request.url.split('?', 1)[0]}`,
      {
        hint: 'See /docs for what there is.',
      },
    );
    return sendProblem(request, reply, missing);
  });
}
