import type { Static, TObject } from 'typebox';
import Value from 'typebox/value';
import { RetortError } from '../errors.ts';
import { nearest } from './nearest.ts';

/** A registry entry by name, and its options; what specs and Programs say of losses, optimizers, schedules. */
export interface EntrySpec {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The entry of a registry with this name; SPEC_INVALID that lists the known names if there is none. */
export function entryOf<T>(registry: Readonly<Record<string, T>>, name: string, what: string): T {
  const entry = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (entry) return entry;
  const known = Object.keys(registry);
  throw new RetortError('SPEC_INVALID', `there is no ${what} "${name}"`, {
    hint: `${didYouMean(name, known)}Known: ${known.join(', ')}.`,
  });
}

/** Options with every default filled in; SPEC_INVALID that lists all problems where they break their schema. */
export function resolveOptions<S extends TObject>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
  what: string,
): Static<S> {
  const filled = Value.Default(schema, structuredClone(given));
  const problems = Value.Errors(schema, filled)
    // Names the property that the next error is about, as a false schema.
    .filter(({ keyword }) => keyword !== 'boolean')
    .map(({ keyword, instancePath, params, message }) => {
      if (keyword === 'additionalProperties') {
        const unknown = params.additionalProperties;
        return `${what}${instancePath} has no option ${unknown.map((name) => `"${name}"`).join(', ')}`;
      }
      if (keyword === 'required')
        return `${what}${instancePath} needs ${params.requiredProperties.map((name) => `"${name}"`).join(', ')}`;
      return `${what}${instancePath} ${message}`;
    });
  if (problems.length > 0) {
    const known = Object.keys(schema.properties);
    const unknown = Object.keys(given).find((name) => !known.includes(name));
    throw new RetortError('SPEC_INVALID', `the options of ${what} are wrong: ${problems[0]}`, {
      problems,
      hint: `${unknown === undefined ? '' : didYouMean(unknown, known)}Known options: ${known.join(', ')}.`,
    });
  }
  return filled as Static<S>;
}

function didYouMean(written: string, known: readonly string[]): string {
  const meant = nearest(written, known);
  return meant === undefined ? '' : `Did you mean "${meant}"? `;
}
