import Type from 'typebox';
import { EventPage } from '../../contract/distillation.ts';
import { isTerminal } from '../../service/jobs/job.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { EventStream } from '../event-stream.ts';
import { followJob } from '../follow-job.ts';
import { ownedJob } from '../owned-job.ts';
import { stillKnown } from '../plugins/auth.ts';
import { eventView } from '../views/distillation.ts';
import { JobParams } from './distillations.ts';

const After = Type.Integer({ minimum: 0 });

/** What happens to a job: as a page, or as a stream that goes on where a reader was cut off. */
export function eventRoutes(app: Api, context: ApiContext): void {
  app.get(
    '/v1/distillations/:id/events',
    {
      schema: {
        tags: ['distillations'],
        summary: 'Events of a distillation',
        description:
          'A page as JSON, or Server-Sent Events where the request accepts text/event-stream. Ids are 1, 2, 3, ... ' +
          'without gaps; `Last-Event-ID` or `after` says what the reader has. The stream also carries `progress` without ' +
          'ids, and closes with `end` after the last event.',
        params: JobParams,
        querystring: Type.Object({
          after: Type.Optional(After),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 500 })),
        }),
        headers: Type.Object({ 'last-event-id': Type.Optional(After) }),
        response: { 200: EventPage },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const job = await ownedJob(request, id, context);
      const after = request.headers['last-event-id'] ?? request.query.after ?? 0;
      // A HEAD has no body to stream.
      if (request.method === 'GET' && request.headers.accept?.includes('text/event-stream')) {
        const stream = EventStream.open(reply, context);
        followJob(stream, id, after, context, () => stillKnown(request, context)).catch((error: unknown) => {
          request.log.warn({ err: error, job: id }, 'an event stream broke off');
          stream.end();
        });
        return reply;
      }
      const events = await context.distillations.events(id, after);
      const page = events.slice(0, request.query.limit ?? 500);
      return {
        items: page.map(eventView),
        last: page.at(-1)?.id ?? after,
        open: page.length < events.length || !isTerminal(job.state),
      };
    },
  );
}
