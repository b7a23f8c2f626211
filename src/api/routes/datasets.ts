import Type from 'typebox';
import { Dataset, DatasetPage } from '../../contract/resources.ts';
import { PageQuery } from '../../contract/shared.ts';
import { formats } from '../../data/formats/index.ts';
import { RetortError } from '../../errors.ts';
import type { Received } from '../../service/files/received.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { mine } from '../mine.ts';
import { ownerFilter } from '../principal.ts';
import { receiveParts } from '../uploads/receive-parts.ts';
import { datasetView } from '../views/resources.ts';

const Params = Type.Object({ id: Type.String() });
const Parts = Type.Object(
  {
    dataset: Type.Array(Type.String({ format: 'binary' }), { minItems: 1 }),
    format: Type.Optional(Type.Enum(Object.keys(formats), { description: 'Default: it is recognised' })),
  },
  { additionalProperties: false },
);

/** Datasets as resources: what is in them before any job. */
export function datasetRoutes(app: Api, context: ApiContext): void {
  const { datasets, times } = context;
  const tags = ['datasets'];
  app.post(
    '/v1/datasets',
    {
      config: { upload: true, multipart: Parts },
      schema: {
        tags,
        summary: 'Upload a dataset and see what is in it',
        description: '202 where looking at it takes long: GET it until its state is not `inspecting`.',
        response: { 201: Dataset, 202: Dataset },
      },
    },
    async (request, reply) => {
      const parts = await receiveParts(request, context, { fields: { format: 64 } });
      const { id } = await datasets.create({ owner: request.principal.id, ...datasetFiles(parts) });
      const dataset = await datasets.settled(id, times.inspection);
      const status = dataset.state === 'inspecting' ? 202 : 201;
      return reply.code(status).header('location', `/v1/datasets/${id}`).send(datasetView(dataset));
    },
  );
  app.get(
    '/v1/datasets',
    {
      schema: {
        tags,
        summary: 'Your datasets, newest first',
        querystring: PageQuery,
        response: { 200: DatasetPage },
      },
    },
    async ({ query, principal }) => {
      const { limit = 20, before } = query;
      const { items, next } = await datasets.page({
        ...ownerFilter(principal),
        limit,
        ...(before === undefined ? {} : { before }),
      });
      return { items: items.map(datasetView), next };
    },
  );
  app.get(
    '/v1/datasets/:id',
    { schema: { tags, summary: 'A dataset with its card', params: Params, response: { 200: Dataset } } },
    async ({ params, principal }) => datasetView(mine(principal, await datasets.get(params.id))),
  );
  app.delete(
    '/v1/datasets/:id',
    { schema: { tags, summary: 'Delete a dataset', params: Params, response: { 204: Type.Null() } } },
    async ({ params, principal }, reply) => {
      await datasets.delete(mine(principal, await datasets.get(params.id)).id);
      return reply.code(204).send(null);
    },
  );
}

function datasetFiles({ files, fields }: Received) {
  const stray = files.find(({ field }) => field !== 'dataset');
  if (stray || files.length === 0) {
    const what = stray ? `a part "${stray.field}" is not known here` : 'there is no part "dataset"';
    throw new RetortError('UPLOAD_INVALID', what, {
      hint: 'curl -F dataset=@data.zip; several files as several parts of that name.',
    });
  }
  const { format = null } = fields;
  if (format !== null && !Object.hasOwn(formats, format)) {
    throw new RetortError('REQUEST_INVALID', `"${format.slice(0, 64)}" is no dataset format`, {
      hint: `Known: ${Object.keys(formats).join(', ')}. Without one it is recognised.`,
    });
  }
  return { data: files.map(({ name, hash, bytes }) => ({ name, hash, bytes })), format };
}
