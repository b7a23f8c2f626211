import { randomUUID } from 'node:crypto';
import type { FastifyServerOptions } from 'fastify';
import { clientError } from './client-error.ts';
import type { ApiContext } from './context.ts';

/** Largest JSON body, bytes; a spec within it has its own limit. */
const BODY_LIMIT = 2 ** 20;

/** How the server listens. Node's defaults would let a client hold a connection for ever. */
export function serverOptions({ config, log, times }: ApiContext) {
  const proxies = config.RETORT_TRUST_PROXY.split(',').map((each) => each.trim());
  return {
    loggerInstance: log,
    bodyLimit: Math.max(BODY_LIMIT, 2 * config.RETORT_MAX_SPEC_BYTES),
    // Bodies have their own watch (plugins/bodies.ts): this one knows no difference between a spec and 16 GiB.
    requestTimeout: 0,
    http: { headersTimeout: times.headers, connectionsCheckingInterval: times.connectionCheck },
    // plugins/load.ts answers instead, with a problem.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    trustProxy: config.RETORT_TRUST_PROXY === '' ? false : proxies,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    clientErrorHandler: clientError(log),
    routerOptions: { maxParamLength: 200 },
  } satisfies FastifyServerOptions & Record<string, unknown>;
}

/** The client's own id where it is harmless, else a new one. */
const requestId = (given: string | string[] | undefined): string =>
  typeof given === 'string' && /^[\x21-\x7e]{1,64}$/.test(given) ? given : randomUUID();
