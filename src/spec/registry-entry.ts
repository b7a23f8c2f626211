import Type, { type TObject, type TSchema } from 'typebox';
import { closed } from './closed.ts';

interface Entry {
  readonly summary: string;
  readonly options: TObject;
}

/**
 * "One entry of this registry": a union of closed objects, told apart by `key`, each with that entry's options (all
 * may be left out) and the `common` ones.
 */
export function registryEntry(
  key: string,
  registry: Readonly<Record<string, Entry>>,
  common: Readonly<Record<string, TSchema>> = {},
) {
  return Type.Union(
    Object.entries(registry).map(([name, { options, summary }]) =>
      Type.Object(
        { [key]: Type.Literal(name), ...common, ...Type.Partial(options).properties },
        { ...closed, description: summary },
      ),
    ),
  );
}
