import Type from 'typebox';
import { catalogue, type ErrorCode, RetortError } from '../../errors.ts';
import type { Api } from '../api.ts';

const Entry = Type.Object({
  code: Type.String(),
  status: Type.Integer(),
  retryable: Type.Boolean(),
  meaning: Type.String(),
});

/** What the `type` of a problem points to. */
export function errorRoutes(app: Api): void {
  app.get(
    '/v1/errors/:code',
    {
      config: { access: 'open' },
      schema: {
        tags: ['service'],
        summary: 'What an error code means',
        params: Type.Object({ code: Type.String() }),
        response: { 200: Entry },
      },
    },
    async ({ params: { code } }) => {
      if (!Object.hasOwn(catalogue, code))
        throw new RetortError('NOT_FOUND', `there is no error code ${code}`);
      const { http, retry, meaning } = catalogue[code as ErrorCode];
      return { code, status: http, retryable: retry === 'later', meaning };
    },
  );
}
