import multipart from '@fastify/multipart';
import { fastify } from 'fastify';
import type { Api } from './api.ts';
import { createContext } from './context.ts';
import type { ApiDeps } from './deps.ts';
import { auth } from './plugins/auth.ts';
import { bodies } from './plugins/bodies.ts';
import { docs } from './plugins/docs.ts';
import { load } from './plugins/load.ts';
import { problems } from './plugins/problems.ts';
import { rateLimit } from './plugins/rate-limit.ts';
import { security } from './plugins/security.ts';
import { routes } from './routes/index.ts';
import { serverOptions } from './server-options.ts';
import { validatorCompiler } from './validation.ts';

/** The API, ready to listen. Closing it ends event streams, lets running requests finish and takes no new ones. */
export async function buildApp(deps: ApiDeps): Promise<Api> {
  const context = createContext(deps);
  const app: Api = fastify(serverOptions(context));
  app.setValidatorCompiler(validatorCompiler);
  // What routes return is typed by the same schemas; a serializer made from them would drop what it does not know.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
  });
  // The order is that of a request: shed load, say who asks, count it, then look at the body.
  problems(app);
  await load(app, context);
  await security(app);
  await rateLimit(app, context);
  auth(app, context);
  bodies(app, context);
  await app.register(multipart);
  await docs(app);
  for (const register of Object.values(routes)) await register(app, context);
  app.addHook('preClose', async () => {
    for (const stream of context.streams) stream.end();
  });
  app.addHook('onClose', async () => context.datasets.close());
  return app;
}
