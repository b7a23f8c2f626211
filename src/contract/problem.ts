import Type, { type Static } from 'typebox';

/** RFC 9457 problem details, the body of every error: `application/problem+json`. */
export const Problem = Type.Object({
  type: Type.String({ description: 'URI of the explanation of the code' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: 'Path of the request' }),
  code: Type.String({ description: 'Stable code, see docs/errors.md' }),
  hint: Type.Optional(Type.String()),
  problems: Type.Optional(Type.Array(Type.String())),
  facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  retryable: Type.Boolean({ description: 'Whether the same request can succeed later' }),
  requestId: Type.String(),
});

export type Problem = Static<typeof Problem>;
