import type { SplitName } from '../dataset.ts';
import { splitOfFolder } from '../split-names.ts';

/** What the folders around a picture say about it; a reason when they say nothing. */
export type Place =
  | { readonly split: SplitName | undefined; readonly label: string | undefined }
  | { readonly reason: string };

const isUnlabelled = (folder: string): boolean => /^unlabell?ed$/i.test(folder);

/**
 * Reads the layout of all folders at once: [wrapper/] [train|validation|test/] class/ [anything/] picture. Folders all
 * share at the top are wrappers; the layer of splits is taken as such when every folder of
 * it is one, or when it holds train and another split.
 */
export function folderLayout(folders: Iterable<string>): (folder: string) => Place {
  const paths = [...folders].map(segments);
  let skip = 0;
  while (isWrapper(paths, skip)) skip++;
  const tops = new Set(paths.filter((path) => path.length > skip).map((path) => path[skip]!));
  const named = [...tops].filter((top) => !isUnlabelled(top));
  const splits = new Set(named.map(splitOfFolder));
  const hasSplits = named.length > 0 && (!splits.has(undefined) || (splits.has('train') && splits.size > 2));
  return (folder) => {
    const path = segments(folder).slice(skip);
    const top = path[0];
    if (top === undefined) return { reason: 'not in a class directory' };
    if (isUnlabelled(top)) return { split: hasSplits ? 'train' : undefined, label: undefined };
    if (!hasSplits) return { split: undefined, label: top };
    const split = splitOfFolder(top);
    if (split === undefined) return { reason: 'outside the train, validation and test directories' };
    const label = path[1];
    if (label === undefined) return { reason: 'not in a class directory' };
    return { split, label: isUnlabelled(label) ? undefined : label };
  };
}

/** Whether the layer at `depth` is one folder around everything, with folders inside, and no split. */
function isWrapper(paths: readonly (readonly string[])[], depth: number): boolean {
  const first = paths[0]?.[depth];
  if (first === undefined || splitOfFolder(first) !== undefined || isUnlabelled(first)) return false;
  const inside = paths.filter((path) => path.length > depth);
  if (!inside.every((path) => path[depth] === first)) return false;
  return inside.some((path) => path.length > depth + 1);
}

const segments = (folder: string): readonly string[] => (folder === '' ? [] : folder.split('/'));
