import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { TSchema } from 'typebox';
import type { Access } from './access.ts';
import type { Principal } from './principal.ts';

/** The Fastify application, with the types of handlers taken from the schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any byte of the body is read. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** Who may call the route. Default: `read` for GET and HEAD, else `write`. */
    access?: Access;
    /** The body may be as large as an upload and take as long; it is watched for its rate instead. */
    upload?: boolean;
    /** What a multipart body holds, for the OpenAPI: such bodies are read part by part, not validated whole. */
    multipart?: TSchema;
  }
}
