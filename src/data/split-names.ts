import type { SplitName } from './dataset.ts';

const names: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
  t10k: 'test',
};

/** The split a folder of this name holds, or undefined. */
export const splitOfFolder = (folder: string): SplitName | undefined => own(folder.toLowerCase());

/** A file or array name without the word that names its split: x_train -> [x, train]; train-images -> [images, train]. */
export function splitOfName(name: string): { readonly base: string; readonly split: SplitName | undefined } {
  const words = name.split(/[-_./ ]+/).filter((word) => word !== '');
  const at = words.findLastIndex((word) => own(word.toLowerCase()) !== undefined);
  if (at < 0) return { base: words.join('-'), split: undefined };
  const split = own(words[at]!.toLowerCase());
  words.splice(at, 1);
  return { base: words.join('-'), split };
}

const own = (word: string): SplitName | undefined => (Object.hasOwn(names, word) ? names[word] : undefined);

/** Puts files in the order of their splits, training rows first, and by path within. */
export function bySplit(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

const rank = (path: string): number =>
  ['train', 'validation', 'test'].indexOf(splitOfName(path).split ?? 'train');
