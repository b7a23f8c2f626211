import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RetortError } from '../errors.ts';
import type { BlobStore } from '../pipeline/ports.ts';
import type { Artifact } from '../pipeline/stage.ts';
import { contentDisposition } from './content-disposition.ts';
import { parseRange } from './parse-range.ts';
import { sendProblem } from './send-problem.ts';

const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  md: 'text/markdown; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
};

/**
 * Answers GET and HEAD with a blob: ranges, strong validators, digest. A blob never changes, so it may be cached for
 * ever by whoever was allowed to fetch it.
 */
export async function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  blobs: Pick<BlobStore, 'has' | 'stream'>,
  { name, hash, bytes }: Artifact,
): Promise<FastifyReply> {
  const etag = `"sha256-${hash}"`;
  const { range: rangeHeader, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
  // If-Range with anything but this very validator, a date too, asks for the whole.
  const wanted = ifRange === undefined || ifRange === etag ? rangeHeader : undefined;
  const range = parseRange(wanted, bytes);
  const known = names(ifNoneMatch, etag);
  if (range === 'unsatisfiable' && !known) {
    const error = new RetortError('REQUEST_INVALID', `the range lies outside of the ${bytes} bytes`);
    return sendProblem(request, reply.header('content-range', `bytes */${bytes}`), error, 416);
  }
  if (!(await blobs.has(hash))) {
    throw new RetortError('STORE_MISSING', `the bytes of ${name} are not in the store any more`);
  }
  void reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, immutable, max-age=31536000',
    'repr-digest': `sha-256=:${Buffer.from(hash, 'hex').toString('base64')}:`,
  });
  if (known || range === 'unsatisfiable') return reply.code(304).send();
  void reply.headers({
    'content-type': TYPES[name.split('.').at(-1)!.toLowerCase()] ?? 'application/octet-stream',
    'content-disposition': contentDisposition(name),
  });
  if (range) {
    void reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${bytes}`);
  }
  void reply.header('content-length', range ? range.end - range.start : bytes);
  // An empty stream: Fastify's own HEAD routes would count the bytes of anything else.
  if (request.method === 'HEAD') return reply.send(Readable.from([]));
  return reply.send(Readable.from(blobs.stream(hash, range), { objectMode: false }));
}

/** Whether an If-None-Match names the validator. */
function names(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}
