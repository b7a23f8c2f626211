import Type from 'typebox';
import { Model, ModelPage } from '../../contract/resources.ts';
import { PageQuery } from '../../contract/shared.ts';
import { RetortError } from '../../errors.ts';
import { companionsOf, type ReceivedFile } from '../../service/files/received.ts';
import type { Api } from '../api.ts';
import { clientSignal } from '../client-signal.ts';
import type { ApiContext } from '../context.ts';
import { mine } from '../mine.ts';
import { ownerFilter } from '../principal.ts';
import { receiveParts } from '../uploads/receive-parts.ts';
import { modelView } from '../views/resources.ts';

const Params = Type.Object({ id: Type.String() });
const Parts = Type.Object(
  { model: Type.String({ format: 'binary' }) },
  {
    additionalProperties: Type.String({
      format: 'binary',
      description: 'External data, named as in the model',
    }),
  },
);

/** Models as resources: a card before any job. */
export function modelRoutes(app: Api, context: ApiContext): void {
  const { models, config } = context;
  const tags = ['models'];
  app.post(
    '/v1/models',
    {
      config: { upload: true, multipart: Parts },
      schema: { tags, summary: 'Upload a model and see what it is', response: { 201: Model } },
    },
    async (request, reply) => {
      const signal = clientSignal(reply);
      const { files } = await receiveParts(request, context, {
        fileBytes: () => config.RETORT_MAX_MODEL_BYTES,
      });
      const stored = await models.create({ owner: request.principal.id, ...modelFiles(files) }, signal);
      return reply.code(201).header('location', `/v1/models/${stored.id}`).send(modelView(stored));
    },
  );
  app.get(
    '/v1/models',
    {
      schema: {
        tags,
        summary: 'Your models, newest first',
        querystring: PageQuery,
        response: { 200: ModelPage },
      },
    },
    async ({ query, principal }) => {
      const { limit = 20, before } = query;
      const { items, next } = await models.page({
        ...ownerFilter(principal),
        limit,
        ...(before === undefined ? {} : { before }),
      });
      return { items: items.map(modelView), next };
    },
  );
  app.get(
    '/v1/models/:id',
    { schema: { tags, summary: 'A model with its card', params: Params, response: { 200: Model } } },
    async ({ params, principal }) => modelView(mine(principal, await models.get(params.id))),
  );
  app.delete(
    '/v1/models/:id',
    { schema: { tags, summary: 'Delete a model', params: Params, response: { 204: Type.Null() } } },
    async ({ params, principal }, reply) => {
      await models.delete(mine(principal, await models.get(params.id)).id);
      return reply.code(204).send(null);
    },
  );
}

/** The part `model`; every other file is external data, under the name of its part. */
export function modelFiles(files: readonly ReceivedFile[]) {
  const [model, ...more] = files.filter(({ field }) => field === 'model');
  if (!model || more.length > 0) {
    throw new RetortError(
      'UPLOAD_INVALID',
      `there must be one file part "model", not ${more.length + (model ? 1 : 0)}`,
      {
        hint: 'curl -F model=@model.onnx; external data as parts named as in the model.',
      },
    );
  }
  const others = files.filter(({ field }) => field !== 'model');
  const { field: _field, ...artifact } = model;
  return {
    model: artifact,
    companions: companionsOf(others),
  };
}
