import type { Composition } from './composition.ts';
import { maxUnpool } from './max-unpool.ts';

/** Operators of the default domain that some engines lack, by what they are made of. */
export const compositions: ReadonlyMap<string, Composition> = new Map([['MaxUnpool', maxUnpool]]);
