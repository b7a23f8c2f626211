import type { FastifyReply } from 'fastify';
import { whenClosed } from './when-closed.ts';

/** Aborted when the client has gone: what was begun for it alone can stop. To be asked for before anything is awaited. */
export function clientSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  whenClosed(raw, () => gone.abort());
  return gone.signal;
}
