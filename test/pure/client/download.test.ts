import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { DownloadOptions } from '../../../src/client/download.ts';
import { RetortClient } from '../../../src/client/retort-client.ts';
import { withPeer } from '../../support/http-peer.ts';

const bytes = Buffer.from(Uint8Array.from({ length: 500_000 }, (_, i) => (i * 7919) >> 3));
const digest = createHash('sha256').update(bytes).digest();

interface Serving {
  /** Bytes after which the n-th connection breaks. */
  readonly breaks?: (connection: number) => number;
  readonly etag?: (connection: number) => string;
  readonly digest?: Buffer;
  readonly ranges?: boolean;
}

/** An artifact on a server with Range, If-Range and Repr-Digest. */
async function serving(
  {
    breaks = () => Number.POSITIVE_INFINITY,
    etag = () => '"a"',
    digest: said = digest,
    ranges = true,
  }: Serving,
  body: (get: (options?: DownloadOptions) => Promise<Buffer>, seen: string[]) => Promise<void>,
) {
  const seen: string[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    seen.push(request.headers.range ?? 'whole');
    const tag = etag(seen.length);
    const current = request.headers['if-range'] === undefined || request.headers['if-range'] === tag;
    const from = ranges && range && current ? Number(range[1]) : 0;
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes.length - from,
      etag: tag,
      'repr-digest': `sha-256=:${said.toString('base64')}:`,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    const end = from + breaks(seen.length);
    if (end >= bytes.length) return void response.end(bytes.subarray(from));
    response.write(bytes.subarray(from, end));
    setTimeout(() => response.destroy(), 20);
  };
  await withPeer(handle, async (url) => {
    const { distillations } = new RetortClient({ url });
    await body(async (options) => {
      const { stream } = await distillations.download('d_1', 'student.onnx', options);
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return Buffer.concat(chunks);
    }, seen);
  });
}

test('a download says its length and sha256, and gives the bytes', () =>
  serving({}, async (get, seen) => {
    assert.deepEqual(await get(), bytes);
    assert.deepEqual(seen, ['whole']);
  }));

test('a broken connection is taken up where it broke', () =>
  serving({ breaks: (connection) => (connection < 4 ? 120_000 : 1e9) }, async (get, seen) => {
    assert.deepEqual(await get(), bytes);
    assert.equal(seen.length, 4);
    assert.deepEqual(seen.slice(1), ['bytes=120000-', 'bytes=240000-', 'bytes=360000-']);
  }));

test('a file that changes while it is resumed, or cannot be had in parts, is refused', async () => {
  const breaks = (connection: number): number => (connection === 1 ? 1000 : 1e9);
  await serving({ breaks, etag: (connection) => `"${connection}"` }, (get) =>
    assert.rejects(get(), { code: 'STORE_CORRUPT' }),
  );
  await serving({ breaks, ranges: false }, (get) => assert.rejects(get(), { code: 'STORE_CORRUPT' }));
});

test('bytes with another sha256 are never given whole', () =>
  serving({ digest: Buffer.alloc(32) }, async (get) => {
    await assert.rejects(get(), { code: 'STORE_CORRUPT', message: /sha256/ });
    assert.deepEqual(await get({ sha256: digest.toString('hex') }), bytes);
  }));

test('a download can begin later', () =>
  serving({}, async (get) => assert.deepEqual(await get({ from: 400_000 }), bytes.subarray(400_000))));

test('a connection that breaks again and again at the same byte is given up', () =>
  serving({ breaks: (connection) => (connection === 1 ? 1000 : 0) }, (get) =>
    assert.rejects(get(), { code: 'STORE_CORRUPT', message: /broke 4 times at byte 1000/ }),
  ));
