import Type from 'typebox';
import { Upload } from '../../contract/resources.ts';
import { RetortError } from '../../errors.ts';
import type { StoredUpload } from '../../service/files/uploads.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { mine } from '../mine.ts';
import { TusUploads } from '../uploads/tus-uploads.ts';

const Params = Type.Object({ id: Type.String() });
const tags = ['uploads'];
const protocol = 'See https://tus.io/protocols/resumable-upload: any tus 1.0 client works.';

/** Resumable uploads. The last segment of an upload's URL is its id, to be named in POST /v1/distillations. */
export async function uploadRoutes(app: Api, context: ApiContext): Promise<void> {
  const tus = new TusUploads(context);
  app.addHook('onClose', () => tus.close());
  // The protocol's bodies are streams of bytes; tus reads them itself.
  app.addContentTypeParser('application/offset+octet-stream', (_request, _payload, done) => done(null));

  app.options('/v1/uploads', { config: { access: 'open' }, schema: { hide: true } }, (request, reply) =>
    tus.handle(request, reply),
  );
  app.post(
    '/v1/uploads',
    {
      config: { upload: true },
      schema: { tags, summary: 'Begin a resumable upload', description: protocol },
    },
    (request, reply) => tus.handle(request, reply),
  );
  app.patch(
    '/v1/uploads/:id',
    {
      config: { upload: true },
      schema: { tags, summary: 'Send more bytes', description: protocol, params: Params },
    },
    async (request, reply) => {
      await tus.claim(request.params.id, request.principal);
      return tus.handle(request, reply);
    },
  );
  app.head(
    '/v1/uploads/:id',
    { schema: { tags, summary: 'How many bytes have come', description: protocol, params: Params } },
    async (request, reply) => {
      const done = await finished(request.params.id, request.principal);
      if (!done) return tus.handle(request, reply);
      const { bytes } = done.file;
      return reply
        .headers({
          'tus-resumable': '1.0.0',
          'upload-offset': bytes,
          'upload-length': bytes,
          'cache-control': 'no-store',
        })
        .send();
    },
  );
  app.get(
    '/v1/uploads/:id',
    {
      exposeHeadRoute: false,
      schema: { tags, summary: 'A finished upload', params: Params, response: { 200: Upload } },
    },
    async ({ params, principal }) => {
      const done = await finished(params.id, principal);
      if (done) return uploadView(done);
      throw new RetortError('NOT_FOUND', `the upload ${params.id} is not finished`, {
        hint: 'HEAD says how many bytes have come.',
      });
    },
  );
  app.delete(
    '/v1/uploads/:id',
    { schema: { tags, summary: 'Give an upload up', params: Params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      const { id } = request.params;
      const done = await finished(id, request.principal);
      if (!done) return tus.handle(request, reply);
      await context.uploads.delete(id);
      return reply.code(204).header('tus-resumable', '1.0.0').send(null);
    },
  );

  /** The record of a whole upload; undefined for one in progress, which must be the principal's too. */
  async function finished(id: string, principal: Parameters<typeof mine>[0]) {
    const stored = await context.uploads.find(id);
    return stored ? mine(principal, stored) : tus.claim(id, principal);
  }
}

const uploadView = ({ id, createdAt, expiresAt, file }: StoredUpload): Upload => ({
  id,
  createdAt: new Date(createdAt).toISOString(),
  expiresAt: new Date(expiresAt).toISOString(),
  file: { name: file.name, bytes: file.bytes, sha256: file.hash },
});
