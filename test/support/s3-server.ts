import crypto from 'node:crypto';
import { rm, stat, utimes } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import S3rver from 's3rver';
import type { S3Place } from '../../src/adapters/storage/s3-bucket.ts';

/** Objects of a page of a listing: so few that every test meets page breaks. */
const PAGE = 7;

/** A local S3 server of a test. */
export interface S3Server {
  readonly place: Omit<S3Place, 'prefix'>;
  /** Requests so far, as `METHOD /bucket/key`. */
  readonly requests: readonly string[];
  /** Does the next request that fits, but breaks the connection in place of an answer. */
  loseAnswerTo(request: RegExp): void;
  /** Breaks the connection within the body of the answer. */
  cutAnswerTo(request: RegExp): void;
  close(): Promise<void>;
}

export interface S3Faults {
  /** Whether conditions are heard; some servers ignore them. */
  readonly conditions?: boolean;
}

/**
 * s3rver on a free port, with what it lacks in front and beneath. To be plain about it: s3rver knows no conditional
 * writes. `If-None-Match: *` and `If-Match` are kept by the layer in this file, which takes one request at a time and
 * answers 412 as AWS documents it (404 for `If-Match` where there is no object). So the tests prove what our drivers
 * make of these answers, not that any server gives them; `openStores` asks the real one each time.
 * The other repairs: s3rver answers a PUT before the file is written, lists folder by folder in place of by key, does
 * not renew the date of an object that is copied onto itself, and hides continuation tokens by a cipher (DES) that
 * OpenSSL 3 no longer has.
 */
export async function s3Server(folder: string, { conditions = true }: S3Faults = {}): Promise<S3Server> {
  process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
  process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
  const bucket = 'retort';
  const s3rver = new S3rver({ directory: folder, silent: true, configureBuckets: [{ name: bucket }] });
  repair(s3rver);
  await s3rver.configureBuckets();
  const answer = s3rver.callback();
  const requests: string[] = [];
  const lost: RegExp[] = [];
  const cut: RegExp[] = [];
  let queue: Promise<void> = Promise.resolve();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(request.url!.split('?')[0]!);
    const line = `${request.method} ${path}`;
    requests.push(line);
    const refusal = conditions ? await refusalOf(s3rver, request, path) : undefined;
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    if (refusal) {
      request.resume();
      response.writeHead(refusal.status, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${refusal.code}</Code><Message>refused</Message></Error>`);
      return closed;
    }
    if (taken(cut, line)) {
      const { write } = response;
      response.write = (chunk: Uint8Array) => {
        write.call(response, chunk.subarray(0, 1000), 'binary', () => request.socket.destroy());
        return false;
      };
    }
    if (taken(lost, line)) {
      // The socket stays open for the request, and closes where the answer would begin.
      response.writeHead = () => {
        request.socket.destroy();
        return response;
      };
    }
    answer(request, response);
    await closed;
    const source = request.headers['x-amz-copy-source'];
    if (request.method === 'PUT' && source) await touch(s3rver, path);
  };

  const server = createServer((request, response) => {
    const done = queue.then(() => handle(request, response));
    queue = done.catch((error: unknown) => void response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    place: { bucket, region: 'us-east-1', endpoint: `http://127.0.0.1:${port}` },
    requests,
    loseAnswerTo: (request) => void lost.push(request),
    cutAnswerTo: (request) => void cut.push(request),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      s3rver.logger.exceptions.unhandle();
      s3rver.logger.close();
    },
  };
}

/** Whether a pattern fits; one is good for one request. */
function taken(patterns: RegExp[], line: string): boolean {
  const index = patterns.findIndex((pattern) => pattern.test(line));
  return index >= 0 && patterns.splice(index, 1).length > 0;
}

/** Why the condition of a write does not hold; undefined where it does, or there is none. */
async function refusalOf(
  { store }: S3rver,
  { method, headers }: IncomingMessage,
  path: string,
): Promise<{ readonly status: number; readonly code: string } | undefined> {
  const { 'if-none-match': none, 'if-match': match } = headers;
  if (method !== 'PUT' || (none === undefined && match === undefined)) return undefined;
  const [, bucket = '', ...key] = path.split('/');
  const found = await store.getMetadata(bucket, key.join('/')).catch(() => undefined);
  if (none === '*' && found) return { status: 412, code: 'PreconditionFailed' };
  if (match !== undefined && !found) return { status: 404, code: 'NoSuchKey' };
  if (match !== undefined && match !== found?.etag) return { status: 412, code: 'PreconditionFailed' };
  return undefined;
}

async function touch({ store }: S3rver, path: string): Promise<void> {
  const [, bucket = '', ...key] = path.split('/');
  const now = new Date();
  await utimes(store.getResourcePath(bucket, key.join('/'), 'object'), now, now);
}

function repair({ store }: S3rver): void {
  const { createCipheriv, createDecipheriv } = crypto;
  const wide = (bytes: crypto.CipherKey | crypto.BinaryLike | null): Buffer =>
    Buffer.concat([bytes as Uint8Array, bytes as Uint8Array]);
  Object.assign(crypto, {
    createCipheriv: ((name, key, iv, options) =>
      name === 'des'
        ? createCipheriv('aes-128-cbc', wide(key), wide(iv))
        : createCipheriv(name, key, iv, options)) as typeof createCipheriv,
    createDecipheriv: ((name, key, iv, options) =>
      name === 'des'
        ? createDecipheriv('aes-128-cbc', wide(key), wide(iv))
        : createDecipheriv(name, key, iv, options)) as typeof createDecipheriv,
  });
  const { putObject, putPart, listObjects } = store;
  store.putObject = async (object) => {
    const path = store.getResourcePath(object.bucket, object.key, 'object');
    await rm(path, { force: true });
    const written = await putObject.call(store, object);
    await wholeFile(path, written.size);
    return written;
  };
  store.putPart = async (bucket, uploadId, part, content) => {
    const written = await putPart.call(store, bucket, uploadId, part, content);
    await wholeFile(
      `${store.getResourcePath(bucket, undefined, 'uploads')}/${uploadId}/${part}`,
      written.size,
    );
    return written;
  };
  store.listObjects = async (bucket, { prefix = '', startAfter = '', maxKeys = PAGE }) => {
    const all = await listObjects.call(store, bucket, { prefix });
    const objects = all.objects
      .filter(({ key }) => key > startAfter)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const page = objects.slice(0, Math.min(maxKeys, PAGE));
    return { ...all, objects: page, isTruncated: page.length < objects.length };
  };
}

async function wholeFile(path: string, size: number): Promise<void> {
  while ((await stat(path).catch(() => undefined))?.size !== size) await sleep(1);
}
