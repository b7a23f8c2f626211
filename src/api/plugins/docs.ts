import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { RouteOptions } from 'fastify';
import { Problem } from '../../contract/problem.ts';
import type { Api } from '../api.ts';

const tags = [
  { name: 'distillations', description: 'A teacher and a dataset in, a student out.' },
  { name: 'models', description: 'Teachers and other ONNX models, with a card of what they are.' },
  { name: 'datasets', description: 'Labelled data, with a card of what was found in it.' },
  { name: 'uploads', description: 'Resumable uploads by the tus protocol, version 1.0.' },
  { name: 'webhooks', description: 'Signed messages about what becomes of jobs.' },
  { name: 'keys', description: 'API keys.' },
  { name: 'service', description: 'The service itself.' },
];

const problem = { description: 'A problem', content: { 'application/problem+json': { schema: Problem } } };

/** The OpenAPI document from the schemas that validate, at /openapi.json, and a page to browse it at /docs. */
export async function docs(app: Api): Promise<void> {
  // Before the plugins below, so that they see what it adds.
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/docs')) route.config = { ...route.config, access: { offLoopback: 'read' } };
    else if (route.schema?.hide !== true) describe(route);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Retort',
        description:
          'Distillation as a service: a teacher ONNX model and a dataset go in, a small student comes out.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags,
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: ({ schema, url, route }) => {
      const { multipart } = route.config ?? {};
      if (!multipart) return { schema, url };
      const { content } = (schema?.body ?? {}) as { readonly content?: object };
      const body = { content: { ...content, 'multipart/form-data': { schema: multipart } } };
      return { schema: { ...schema, body }, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true } });
  app.get(
    '/openapi.json',
    { config: { access: { offLoopback: 'read' } }, schema: { hide: true } },
    async () => app.swagger(),
  );
}

/** Errors look alike everywhere; what needs no key says so. */
function describe(route: RouteOptions): void {
  const schema = route.schema ?? {};
  route.schema = {
    ...schema,
    ...(route.config?.access === 'open' ? { security: [] } : {}),
    response: { ...(schema.response as object), '4xx': problem, '5xx': problem },
  };
}
