import type { Loss } from './loss.ts';

/** Losses by name. */
export const losses = {} as const satisfies Record<string, Loss>;
