import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { RetortError } from '../errors.ts';
import { problemsOf } from '../spec/problems.ts';

const NAMES: Readonly<Record<string, string>> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
  headers: 'a header',
};

/**
 * Checks a part of a request against its schema. Unknown keys are refused, never dropped. What can be nothing
 * but text (query, path, headers) is turned into numbers and the like and gets its defaults; a body stays as it was sent,
 * for a job keeps its spec as it was requested. All problems are told at once, each with its pointer.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> =
  ({ schema, httpPart = 'body' }) =>
  (given: unknown) => {
    const value =
      httpPart === 'body' ? given : Value.Convert(schema, Value.Default(schema, Value.Clone(given)));
    if (Value.Check(schema, value)) return { value };
    const problems = problemsOf(schema, value);
    const where = NAMES[httpPart] ?? httpPart;
    return {
      error: new RetortError(
        'REQUEST_INVALID',
        `${where} is wrong: ${problems[0] ?? 'it breaks its schema'}`,
        {
          problems,
          hint: 'Pointers name the place; /docs shows the schema.',
        },
      ),
    };
  };
