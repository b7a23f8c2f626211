import type { Optimizer } from './optimizer.ts';

/** Optimizers by name. */
export const optimizers = {} as const satisfies Record<string, Optimizer>;
