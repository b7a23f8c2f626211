import Type, { type TSchema } from 'typebox';

/** Pieces that several resources use. The contract is pure: the client runs it in browsers. */

export const closed = { additionalProperties: false } as const;
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'sha256, lower-case hex' });
export const Labels = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), {
  maxProperties: 16,
  description: 'Words of yours; the list can be filtered by them',
});

/** A file that was given or made. */
export const FileRef = Type.Object(
  { name: Type.String(), bytes: Type.Integer({ minimum: 0 }), sha256: Sha256 },
  closed,
);

/** A page of a list, newest first. One with `next` can have fewer items than asked for, even none. */
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
    before: Type.Optional(Type.String({ maxLength: 64, description: '`next` of the page before' })),
  },
  closed,
);

export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Nullable(Type.String()) }, closed);
