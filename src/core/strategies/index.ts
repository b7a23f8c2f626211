import { singleStage } from './single-stage.ts';
import type { Strategy } from './strategy.ts';

/** Strategies by name. */
export const strategies = { 'single-stage': singleStage } as const satisfies Record<string, Strategy>;
