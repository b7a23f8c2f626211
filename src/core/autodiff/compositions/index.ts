import { col2Im } from './col2-im.ts';
import type { Composition } from './composition.ts';
import { gridSample } from './grid-sample.ts';
import { lstm } from './lstm.ts';
import { maxUnpool } from './max-unpool.ts';

/** Operators of the default domain that some engines lack, by what they are made of. */
export const compositions: ReadonlyMap<string, Composition> = new Map([
  ['Col2Im', col2Im],
  ['GridSample', gridSample],
  ['LSTM', lstm],
  ['MaxUnpool', maxUnpool],
]);
