import type { Clock } from '../ports.ts';

/**
 * Milliseconds per unit of some work that can be done again and again. The first time allocates and is no measure, unless
 * nothing else fits into the budget. `work` returns the units it did; 0 ends the measurement.
 */
export async function paceOf(
  { precise }: Clock,
  budget: number,
  work: (round: number) => Promise<number>,
): Promise<number> {
  const started = precise();
  let units = await work(0);
  const first = precise() - started;
  if (units === 0) return 0;
  let spent = first;
  const from = precise();
  for (let round = 1, counted = 0; precise() - started < budget; round++) {
    const done = await work(round);
    if (done === 0) break;
    counted += done;
    units = counted;
    spent = precise() - from;
  }
  return spent / units;
}
