import type { Results, Trained } from '../results.ts';

/** The control of the very seed whose student is delivered; null where there is none. */
export function controlOf({ control, train }: Pick<Results, 'control' | 'train'>): Trained | null {
  return control?.repeated?.runs[train.repeated?.chosen ?? 0] ?? control;
}
