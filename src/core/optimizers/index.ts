import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import type { Optimizer } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';

/** Optimizers by name. */
export const optimizers = { adam, adamw, rmsprop, sgd } as const satisfies Record<string, Optimizer>;
