import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Clock } from '../../src/pipeline/ports.ts';

/** Every look at it a second after the last: other work on the machine changes no estimate. */
export function steppingClock(): Clock {
  let looks = 0;
  return { ...systemClock, precise: () => 1000 * looks++ };
}
