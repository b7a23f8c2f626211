import type { FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { RetortError } from '../../errors.ts';
import type { Scope } from '../../service/keys/api-key.ts';
import { isLoopback, scopeOf } from '../access.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { localPrincipal, maySee, nobody, type Principal } from '../principal.ts';

/** Whether a key is demanded: `auto` demands one as soon as another machine could call. */
export const needsKeys = ({ RETORT_AUTH, RETORT_HOST }: Config): boolean =>
  RETORT_AUTH === 'keys' || (RETORT_AUTH === 'auto' && !isLoopback(RETORT_HOST));

/** Says who asks, and whether they may, before any byte of the body is read. */
export function auth(app: Api, { config, verifyKey, log }: ApiContext): void {
  const loopback = isLoopback(config.RETORT_HOST);
  app.decorateRequest('principal');
  if (!needsKeys(config)) {
    if (!loopback) log.warn('API keys are off: whoever reaches this address may do everything');
    app.addHook('onRequest', async (request) => {
      refuseForeignPages(request, loopback);
      request.principal = localPrincipal;
    });
    return;
  }
  if (!verifyKey) {
    throw new RetortError(
      'SERVICE_SETUP',
      `API keys are demanded on ${config.RETORT_HOST}, but there are none`,
      {
        hint: 'Make one with `retort keys create`, or set RETORT_AUTH=off where everyone may do everything.',
      },
    );
  }
  // Only failures count here: guesses are slowed down by address.
  const failures = app.createRateLimit({ keyGenerator: ({ ip }) => `auth:${ip}` });
  app.addHook('onRequest', async (request, reply) => {
    request.principal = nobody;
    const { access } = request.routeOptions.config;
    const scope = request.is404 ? 'read' : scopeOf(access, request.method, loopback);
    if (scope === undefined) return;
    const principal = await verified(request, verifyKey);
    if (!principal) {
      const limit = await failures(request);
      void reply.header('www-authenticate', 'Bearer realm="retort"');
      if (!limit.isAllowed && limit.isExceeded) {
        void reply.header('retry-after', limit.ttlInSeconds);
        throw new RetortError(
          'RATE_LIMITED',
          'too many requests without a valid API key came from this address',
        );
      }
      throw new RetortError('AUTH_REQUIRED', 'this needs a valid API key', {
        hint: 'Send it as `Authorization: Bearer rt_...`.',
      });
    }
    request.principal = principal;
    if (!request.is404) demand(principal, scope);
  });
}

/** Whether a request that was let in would be let in still: its key may have been revoked since. */
export async function stillKnown(
  request: FastifyRequest,
  { config, verifyKey }: Pick<ApiContext, 'config' | 'verifyKey'>,
): Promise<boolean> {
  return !needsKeys(config) || (await verified(request, verifyKey!)) !== undefined;
}

function demand(principal: Principal, scope: Scope): void {
  if (maySee(principal, scope)) return;
  throw new RetortError('AUTH_FORBIDDEN', `this API key lacks the scope "${scope}"`);
}

async function verified(
  request: FastifyRequest,
  verifyKey: NonNullable<ApiContext['verifyKey']>,
): Promise<Principal | undefined> {
  const [, token] = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '') ?? [];
  return token === undefined ? undefined : verifyKey(token);
}

/** Without keys a page in a browser on this machine could call us, from any site: it betrays itself by its origin. */
function refuseForeignPages(request: FastifyRequest, loopback: boolean): void {
  const { origin } = request.headers;
  const foreign = origin !== undefined && !sameHost(origin, request.host);
  // A site may also let its own name point to 127.0.0.1.
  const renamed = loopback && !isLoopback(request.hostname);
  if (!foreign && !renamed) return;
  throw new RetortError(
    'AUTH_FORBIDDEN',
    'pages of other sites may not call this service while API keys are off',
    {
      hint: 'Set RETORT_AUTH=keys and send a key.',
    },
  );
}

const sameHost = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;
