import Type from 'typebox';
import { ArtifactList } from '../../contract/distillation.ts';
import { RetortError } from '../../errors.ts';
import type { JobRecord } from '../../service/jobs/job.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { ownedJob } from '../owned-job.ts';
import { sendBlob } from '../send-blob.ts';
import { distillationUrls } from '../views/distillation.ts';
import { JobParams } from './distillations.ts';

const tags = ['distillations'];
const REPORT = 'report.json';

/** What a job leaves: files, the report, the curves. */
export function artifactRoutes(app: Api, context: ApiContext): void {
  app.get(
    '/v1/distillations/:id/artifacts',
    {
      schema: {
        tags,
        summary: 'Files of a finished distillation',
        params: JobParams,
        response: { 200: ArtifactList },
      },
    },
    async (request) => {
      const job = await ownedJob(request, request.params.id, context);
      const { artifacts } = distillationUrls(job.id);
      return {
        items: job.artifacts.map(({ name, bytes, hash }) => ({
          name,
          bytes,
          sha256: hash,
          url: `${artifacts}/${encodeURIComponent(name)}`,
        })),
      };
    },
  );

  app.get(
    '/v1/distillations/:id/artifacts/:name',
    {
      schema: {
        tags,
        summary: 'One file, whole or in part (Range)',
        params: Type.Interface([JobParams], { name: Type.String({ maxLength: 200 }) }),
      },
    },
    async (request, reply) => {
      const job = await ownedJob(request, request.params.id, context);
      return sendBlob(request, reply, context.blobs, artifactOf(job, request.params.name));
    },
  );

  app.get(
    '/v1/distillations/:id/report',
    {
      schema: {
        tags,
        summary: 'report.json: teacher, control and student on the test split',
        params: JobParams,
      },
    },
    async (request, reply) => {
      const job = await ownedJob(request, request.params.id, context);
      return sendBlob(request, reply, context.blobs, artifactOf(job, REPORT));
    },
  );

  app.get(
    '/v1/distillations/:id/metrics',
    {
      schema: {
        tags,
        summary: 'Curves so far: a series of points for each run (train, control, trials of auto)',
        params: JobParams,
        response: {
          200: Type.Object({
            series: Type.Record(Type.String(), Type.Array(Type.Record(Type.String(), Type.Unknown()))),
          }),
        },
      },
    },
    async (request) => {
      const { id } = await ownedJob(request, request.params.id, context);
      const series = new Map<string, Record<string, unknown>[]>();
      for (const { type, data } of await context.distillations.events(id)) {
        if (type !== 'metrics') continue;
        const { run, ...point } = data as { readonly run: string };
        series.set(run, [...(series.get(run) ?? []), point]);
      }
      return { series: Object.fromEntries(series) };
    },
  );
}

function artifactOf({ id, state, artifacts }: JobRecord, name: string) {
  const found = artifacts.find((artifact) => artifact.name === name);
  if (found) return found;
  if (state === 'succeeded') {
    const known = artifacts.map((artifact) => artifact.name).join(', ');
    throw new RetortError('NOT_FOUND', `there is no artifact "${name}"`, { hint: `There are ${known}.` });
  }
  throw new RetortError('JOB_STATE', `the distillation ${id} is ${state}; it has no artifacts`, {
    hint: 'Artifacts appear together when it has succeeded.',
  });
}
