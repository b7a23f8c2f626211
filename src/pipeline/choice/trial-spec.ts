import { AUTO_SHARE, type Candidate } from '../../spec/auto-candidates.ts';
import { resolvePhases } from '../../spec/resolve-phases.ts';
import type { ResolvedSpec, ResolvedTrain } from '../../spec/resolved-spec.ts';

/** How long a candidate is trained: on a part of the length, or as the job would be that is settled on it. */
export type TrialLength = 'short' | 'whole';

/** The spec that a candidate is trained by; on the whole length what the job becomes once it is settled on it. */
export function trialSpec(
  { terms }: Pick<Candidate, 'terms'>,
  length: TrialLength,
  { method: _auto, ...spec }: ResolvedSpec,
): ResolvedSpec {
  const strategy = { name: 'single-stage', options: {} };
  const phases = resolvePhases(strategy, terms, spec.student);
  const train = length === 'short' ? shortRecipe(spec.train) : spec.train;
  return { ...spec, strategy, objective: { terms }, phases, train };
}

/** The whole schedule in fewer steps, to its end, so that nothing is selected. */
function shortRecipe({ earlyStopping: _earlyStopping, ...train }: ResolvedTrain): ResolvedTrain {
  const shorter = Math.max(1, Math.ceil(AUTO_SHARE * lengthOf(train)));
  const length = 'steps' in train.length ? { steps: shorter } : { epochs: shorter };
  return { ...train, length, select: 'last' };
}

/** In epochs or steps, as the spec gives it. */
const lengthOf = ({ length }: ResolvedTrain): number => ('steps' in length ? length.steps : length.epochs);

/** Length of the short schedules as a part of the job's: whole epochs or steps, so it may be more than was aimed at. */
export const shortShare = ({ train }: Pick<ResolvedSpec, 'train'>): number =>
  lengthOf(shortRecipe(train)) / lengthOf(train);
