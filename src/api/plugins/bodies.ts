import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RetortError } from '../../errors.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { watchRate } from '../uploads/watch-rate.ts';
import { whenClosed } from '../when-closed.ts';

/** What multipart boundaries and headers may add to the files themselves, bytes. */
const OVERHEAD = 2 ** 20;
/** How long a failed reader may take to answer before its connection is cut, milliseconds. */
const LAST_WORDS = 2_000;

/**
 * Watches bodies while they arrive: a time limit for small ones; for uploads size, room on the disk, how many there are
 * at once, and a least pace.
 */
export function bodies(app: Api, context: ApiContext): void {
  app.addHook('preParsing', async (request, reply) => {
    if (!hasBody(request.raw)) return;
    const json = /^application\/([\w.-]+\+)?json/i.test(request.headers['content-type'] ?? '');
    if (request.routeOptions.config.upload && !json) await watchUpload(request, reply, context);
    else watchTime(request, reply, context.times.body);
  });
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function watchTime(request: FastifyRequest, reply: FastifyReply, limit: number): void {
  const timer = setTimeout(() => {
    if (request.raw.complete) return;
    fail(request, new RetortError('UPLOAD_TOO_SLOW', `the body did not come within ${limit / 1000} s`));
  }, limit);
  reply.raw.once('close', () => clearTimeout(timer));
}

async function watchUpload(request: FastifyRequest, reply: FastifyReply, context: ApiContext): Promise<void> {
  const { config, slots, freeBytes } = context;
  const { raw, principal } = request;
  const limit = config.RETORT_MAX_UPLOAD_BYTES;
  const declared = Number(raw.headers['content-length'] ?? 0);
  if (declared > limit + OVERHEAD) throw tooLarge(limit);

  let received = 0;
  const begin = raw.socket.bytesRead;
  const slot = slots.admit(principal.id, principal.limits.uploads ?? config.RETORT_MAX_UPLOADS, () =>
    declared === 0 ? 0 : declared - (raw.socket.bytesRead - begin),
  );
  whenClosed(reply.raw, slot.release);
  // While the key was looked up the client may have gone.
  if (raw.socket.destroyed) {
    throw new RetortError('UPLOAD_ABORTED', 'the connection ended before the body was whole');
  }
  const free = await freeBytes();
  if (free < slots.pending() + config.RETORT_MIN_FREE_BYTES) throw noRoom(declared);

  const stop = watchRate(raw, {
    minRate: config.RETORT_MIN_UPLOAD_RATE,
    window: config.RETORT_MIN_UPLOAD_WINDOW_SECONDS * 1000,
    onSlow: (pace) => {
      const least = config.RETORT_MIN_UPLOAD_RATE;
      const message = `the upload came at ${Math.round(pace)} bytes a second; ${least} are the least`;
      fail(
        request,
        new RetortError('UPLOAD_TOO_SLOW', message, {
          hint: 'Large files can be sent in pieces: POST /v1/uploads.',
        }),
      );
    },
    onTick: (bytes) => {
      received = bytes;
      if (received > limit + OVERHEAD) return fail(request, tooLarge(limit));
      void freeBytes().then(
        (left) => left < config.RETORT_MIN_FREE_BYTES && fail(request, noRoom(received)),
        (error: unknown) => request.log.error({ err: error }, 'the free space cannot be read'),
      );
    },
  });
  reply.raw.once('close', stop);
}

/**
 * Tells whoever reads the body, as an error of the stream, so that the reader's own clean-up runs and the answer still
 * finds its connection; destroying the stream would take the connection away. Who does not listen loses it.
 */
function fail(request: FastifyRequest, error: RetortError): void {
  const { raw } = request;
  if (raw.complete || raw.destroyed) return;
  if (raw.listenerCount('error') > 0) raw.emit('error', error);
  // A stream that failed gives no more; Node's adapter to web streams throws out of its listener where one still does.
  raw.removeAllListeners('data');
  setTimeout(() => raw.complete || raw.destroy(), LAST_WORDS).unref();
}

const tooLarge = (limit: number) =>
  new RetortError('UPLOAD_TOO_LARGE', `the body is larger than ${limit} bytes, the most this service takes`);

const noRoom = (bytes: number) =>
  new RetortError('STORE_FULL', `there is no room for these ${bytes} bytes`, {
    hint: 'Delete jobs, models or datasets that are not needed any more, or give the service a larger disk.',
  });
