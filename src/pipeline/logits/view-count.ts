import { asksJobTeacher } from '../../core/strategies/check-phases.ts';
import { stepsPerEpoch } from '../../data/order.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { placePhases } from '../training/place-phases.ts';

/**
 * How often the teacher sees the training rows: not at all where no phase reads it, once without augmentation, for every
 * epoch shows the same pixels, else once for every epoch up to the last that reads it.
 */
export function viewCount({ phases, train }: ResolvedSpec, rows: number): number {
  const asking = placePhases(phases, train, rows).filter(asksJobTeacher);
  if (asking.length === 0) return 0;
  if (train.augment.length === 0) return 1;
  const last = Math.max(...asking.map(({ start, steps }) => start + steps));
  return Math.max(1, Math.ceil(last / stepsPerEpoch(rows, train.batchSize)));
}
