import type { TObject } from 'typebox';
import Value from 'typebox/value';
import { RetortError } from '../errors.ts';

/** Checks options against a closed schema; SPEC_INVALID lists every problem under `where`. */
export function parseOptions(schema: TObject, given: unknown, where: string): Record<string, unknown> {
  const value = given ?? {};
  if (Value.Check(schema, value)) return value as Record<string, unknown>;
  const problems = [...Value.Errors(schema, value)]
    .filter(({ keyword }) => keyword !== 'boolean')
    .map(({ instancePath, message, params }) => {
      const extra = 'additionalProperties' in params ? `: ${params.additionalProperties}` : '';
      return `${where}${instancePath.replaceAll('/', '.')} ${message}${extra}`;
    });
  throw new RetortError('SPEC_INVALID', problems[0] ?? `${where} breaks its schema`, {
    problems,
    hint: `Known keys: ${Object.keys(schema.properties).join(', ') || 'none'}.`,
  });
}
