import { RetortError } from '../errors.ts';

/**
 * Labels renumbered by a declared mapping from class name to index. Several names may share an index (spellings of one
 * class); indexes no class uses are named by their number.
 */
export function classOrder(
  names: readonly string[],
  labels: Int32Array,
  mapping?: Readonly<Record<string, number>>,
): { readonly classes: readonly string[]; readonly labels: Int32Array } {
  if (!mapping) return { classes: names, labels };
  const lost = names.filter((name) => !Object.hasOwn(mapping, name));
  if (lost.length > 0) {
    throw new RetortError('DATA_MISMATCH', `labels.classes does not name ${lost.slice(0, 10).join(', ')}`, {
      hint: 'Give an index to every class of the dataset.',
      facts: { missing: lost.length },
    });
  }
  const count = Math.max(-1, ...Object.values(mapping)) + 1;
  const classes = Array.from({ length: count }, (_, i) => String(i));
  for (const [name, index] of Object.entries(mapping).reverse()) classes[index] = name;
  return { classes, labels: labels.map((label) => (label < 0 ? -1 : mapping[names[label]!]!)) };
}
