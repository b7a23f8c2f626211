import { type ClassMap, knownClasses } from '../../core/ensemble/class-map.ts';
import type { FurtherTeacher } from '../../core/ensemble/ensemble.ts';
import { nearest } from '../../core/nearest.ts';
import { RetortError } from '../../errors.ts';

export interface ClassNames {
  /** Names of the job's classes, in order. */
  readonly names: readonly string[];
  /** Further spellings of them (`labels.classes`). */
  readonly indices?: Readonly<Record<string, number>>;
}

/** What the outputs of a further teacher mean, by the classes of the job; null where they are those. */
export function resolveClassMap(
  { file, labels }: Pick<FurtherTeacher, 'file' | 'labels'>,
  outputs: number,
  { names, indices = {} }: ClassNames,
): ClassMap | null {
  const refuse = (why: string, hint: string): never => {
    throw new RetortError('DATA_MISMATCH', `further teacher "${file}": ${why}`, { hint });
  };
  if (!labels) {
    if (outputs === names.length) return null;
    return refuse(
      `it has ${outputs} outputs, the job ${names.length} classes`,
      'Say in its labels which output speaks of which class: {"class name": output}.',
    );
  }
  const map = names.map((): number[] => []);
  for (const [name, written] of Object.entries(labels)) {
    const index = Object.hasOwn(indices, name) ? indices[name]! : names.indexOf(name);
    if (index < 0 || index >= names.length) {
      const meant = nearest(name, [...names, ...Object.keys(indices)]);
      const shown = names.slice(0, 10).join(', ');
      refuse(
        `its labels name "${name}", which is no class of the job`,
        `${meant ? `Did you mean "${meant}"? ` : ''}There are ${shown}${names.length > 10 ? ', ...' : ''}.`,
      );
    }
    for (const output of [written].flat()) {
      if (output >= outputs) {
        refuse(`its labels name output ${output}, it has ${outputs}`, 'Outputs are counted from 0.');
      }
      map[index]!.push(output);
    }
  }
  if (knownClasses(map).length < 2) {
    refuse(
      'its labels name one class of the job',
      'A teacher needs two to have an opinion; give a class to more outputs.',
    );
  }
  return map;
}
