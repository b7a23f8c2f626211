import type { Clock } from '../pipeline/ports.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  precise: () => performance.now(),
};
