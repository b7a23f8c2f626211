import underPressure from '@fastify/under-pressure';
import { RetortError } from '../../errors.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';

/**
 * Mean delay of the event loop over a while, both in milliseconds, and resident memory, bytes, beyond which we refuse
 * work. A job that trains on the same cores, or one long pause, is no reason to: the mean is taken over many turns.
 */
const MAX_DELAY = 1_000;
const WHILE = 5_000;
const MAX_RSS = 1.5 * 2 ** 30;

/** Refuses requests while the process is stopping or has more to do than it can: better a quick 503 than a slow one. */
export async function load(app: Api, { lifecycle }: ApiContext): Promise<void> {
  app.addHook('preClose', async () => {
    lifecycle.stopping = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    if (!lifecycle.stopping || request.routeOptions.config.access === 'open') return;
    void reply.header('connection', 'close');
    throw new RetortError('SERVICE_STOPPING', 'the service is shutting down');
  });
  await app.register(underPressure, {
    maxEventLoopDelay: MAX_DELAY,
    sampleInterval: WHILE,
    maxRssBytes: MAX_RSS,
    pressureHandler: (request, _reply, type) => {
      // Probes must see a busy process alive, or it is killed for being busy.
      if (request.routeOptions.config.access === 'open') return;
      request.log.warn({ type }, 'under pressure');
      throw new RetortError('SERVICE_STOPPING', 'the service has too much to do just now');
    },
  });
}
