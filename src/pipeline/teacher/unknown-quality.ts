import { type ClassMap, knownClasses } from '../../core/ensemble/class-map.ts';
import type { StoredDataset } from '../../data/open-dataset.ts';

const SHOWN = 10;

/** The warning of a teacher that no row could judge, and why none could. */
export function unknownQuality(
  { splits, labels, labelled, classes }: Pick<StoredDataset, 'splits' | 'labels' | 'labelled' | 'classes'>,
  map?: ClassMap,
): string {
  const { train, validation } = splits;
  const isUsable = (row: number): boolean => labels[row]! >= 0 && labelled[row] === 1;
  const known = map && [train, validation].some((rows) => rows.some(isUsable)) ? knownClasses(map) : [];
  const names = known.slice(0, SHOWN).map((c) => classes[c] ?? String(c));
  const why =
    known.length > 0
      ? `no labelled row of training or validation is of a class it knows (${names.join(', ')}${known.length > SHOWN ? ', ...' : ''})`
      : labels.some((label) => label >= 0)
        ? 'no row of training or validation has a label that may be used'
        : 'no row has a label';
  return `${why}, so the quality of the teacher is unknown`;
}
