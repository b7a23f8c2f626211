import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';

export function metricsRoutes(app: Api, { metrics }: ApiContext): void {
  app.addHook('onResponse', async (request, reply) => metrics.observe(request, reply));
  app.get(
    '/metrics',
    { config: { access: { offLoopback: 'admin' } }, schema: { hide: true } },
    async (_request, reply) => {
      const text = await metrics.registry.metrics();
      return reply.type(metrics.registry.contentType).send(text);
    },
  );
}
