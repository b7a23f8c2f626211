import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { CreateDistillation, Distillation, DistillationPage, State } from '../../contract/distillation.ts';
import { closed, PageQuery } from '../../contract/shared.ts';
import { idempotentId } from '../../service/jobs/idempotency.ts';
import type { JobRecord } from '../../service/jobs/job.ts';
import { newJobId } from '../../service/jobs/jobs.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { ownedJob } from '../owned-job.ts';
import { ownerFilter } from '../principal.ts';
import { readDraft } from '../read-draft.ts';
import { distillationUrls, distillationView } from '../views/distillation.ts';

const tags = ['distillations'];
export const JobParams = Type.Object({ id: Type.String({ pattern: '^d_[0-9A-Z]{26}$' }) });
const KeyHeader = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});

/** The parts of a multipart request, for the OpenAPI. */
export const DraftParts = Type.Object({
  teacher: Type.Unsafe<string>({
    type: 'string',
    format: 'binary',
    description: 'The teacher, an ONNX model',
  }),
  dataset: Type.Array(Type.Unsafe<string>({ type: 'string', format: 'binary' }), {
    description: 'An archive, or the files of a dataset',
  }),
  spec: Type.Optional(Type.String({ description: 'What to do, JSON; see CreateDistillation.spec' })),
  options: Type.Optional(Type.String({ description: 'JSON; see CreateDistillation.options' })),
});

/** Jobs: created, read, steered, removed. */
export function distillationRoutes(app: Api, context: ApiContext): void {
  const { distillations } = context;

  app.post(
    '/v1/distillations',
    {
      config: { upload: true, multipart: DraftParts },
      schema: {
        tags,
        summary: 'Distil a teacher into a student',
        description: 'With files as multipart/form-data, or by ids of earlier uploads as JSON.',
        headers: KeyHeader,
        body: { content: { 'application/json': { schema: CreateDistillation } } },
        response: { 202: Distillation },
      },
    },
    async (request, reply) => {
      const draft = await readDraft(request, context);
      const owner = request.principal.id;
      const key = request.headers['idempotency-key'];
      const { id, replayed } =
        key === undefined
          ? { id: newJobId(), replayed: false }
          : await idempotentId(context.jobs, owner, key, draft, newJobId());
      if (replayed) void reply.header('idempotency-replayed', 'true');
      const maxOpen = request.principal.limits.openJobs;
      const job = { ...draft, owner, id, ...(maxOpen === undefined ? {} : { maxOpen }) };
      return accepted(reply, await distillations.create(job));
    },
  );

  app.get(
    '/v1/distillations',
    {
      schema: {
        tags,
        summary: 'Distillations, newest first',
        querystring: Type.Object(
          {
            ...PageQuery.properties,
            state: Type.Optional(State),
            label: Type.Optional(Type.String({ pattern: '^[^=]+=', description: 'name=value' })),
          },
          closed,
        ),
        response: { 200: DistillationPage },
      },
    },
    async ({ principal, query: { limit = 20, before, state, label } }) => {
      const at = label?.indexOf('=') ?? -1;
      const { items, next } = await distillations.list({
        ...ownerFilter(principal),
        limit,
        ...(before === undefined ? {} : { before }),
        ...(state === undefined ? {} : { state }),
        ...(label === undefined ? {} : { label: [label.slice(0, at), label.slice(at + 1)] as const }),
      });
      return { items: items.map(distillationView), next };
    },
  );

  app.get(
    '/v1/distillations/:id',
    { schema: { tags, summary: 'One distillation', params: JobParams, response: { 200: Distillation } } },
    async (request) => distillationView(await ownedJob(request, request.params.id, context)),
  );

  app.delete(
    '/v1/distillations/:id',
    {
      schema: {
        tags,
        summary: 'Remove a finished distillation and its artifacts',
        params: JobParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = await ownedJob(request, request.params.id, context);
      await distillations.delete(id);
      return reply.code(204).send(null);
    },
  );

  const verbs = {
    cancel: 'Stop it for good; what is computed is kept for a retry',
    pause: 'Stop it at a checkpoint, to be resumed',
    resume: 'Go on with a paused distillation',
  } as const;
  for (const [verb, summary] of Object.entries(verbs)) {
    app.post(
      `/v1/distillations/:id/${verb}`,
      { schema: { tags, summary, params: JobParams, response: { 200: Distillation } } },
      async (request) => {
        const { id } = await ownedJob(request, request.params.id, context);
        return distillationView(await distillations[verb as keyof typeof verbs](id));
      },
    );
  }

  app.post(
    '/v1/distillations/:id/retry',
    {
      schema: {
        tags,
        summary: 'A new distillation like one that failed or was cancelled; finished stages are not repeated',
        params: JobParams,
        response: { 202: Distillation },
      },
    },
    async (request, reply) => {
      const { id } = await ownedJob(request, request.params.id, context);
      return accepted(reply, await distillations.retry(id, request.principal.limits.openJobs));
    },
  );
}

function accepted(reply: FastifyReply, job: JobRecord) {
  return reply.code(202).header('location', distillationUrls(job.id).self).send(distillationView(job));
}
