import Type, { type TObject, type TSchema } from 'typebox';
import { closed } from './closed.ts';

interface Entry {
  readonly summary: string;
  readonly options: TObject;
}

/**
 * "One entry of this registry": a union of closed objects, told apart by `key`, each with that entry's options (all
 * may be left out) and those that `common` gives it.
 */
export function registryEntry<E extends Entry>(
  key: string,
  registry: Readonly<Record<string, E>>,
  common: (entry: E) => Readonly<Record<string, TSchema>> = () => ({}),
) {
  return Type.Union(
    Object.entries(registry).map(([name, entry]) =>
      Type.Object(
        { [key]: Type.Literal(name), ...common(entry), ...Type.Partial(entry.options).properties },
        { ...closed, description: entry.summary },
      ),
    ),
  );
}
