import helmet from '@fastify/helmet';
import type { Api } from '../api.ts';

/** Headers that keep browsers from doing more with our answers than is meant. */
export async function security(app: Api): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'base-uri': ["'self'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
        'img-src': ["'self'", 'data:'],
        'object-src': ["'none'"],
        // The page at /docs sets styles of its own.
        'style-src': ["'self'", "'unsafe-inline'"],
      },
    },
    // Whether there is TLS in front is not ours to say.
    strictTransportSecurity: false,
  });
}
