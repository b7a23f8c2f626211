import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import { isHard } from '../../core/strategies/terms.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { noLabelsToLearnFrom } from '../logits/combine-views.ts';
import type { Results } from '../results.ts';

/** DATA_EMPTY where the spec wants labels of rows that have none: better now than after the teachers have been asked. */
export function refuseMissingLabels(
  { labelled, card }: Pick<Results['qualify'], 'labelled' | 'card'>,
  spec: Pick<ResolvedSpec, 'phases' | 'method' | 'ensemble'>,
): void {
  if (labelled === 0) refuseLabelsAlone(spec);
  const { rows, unlabelled } = card.splits.validation;
  if (spec.ensemble?.weighting.by === 'learned' && rows === unlabelled) throw noLabelsToLearnFrom();
}

/** For a phase that nothing but labels teaches, from its first step or in the end. */
function refuseLabelsAlone({ phases, method }: Pick<ResolvedSpec, 'phases' | 'method'>): void {
  const fades = ({ schedule }: ObjectiveTerm): boolean => schedule?.weight?.to === 0;
  const phase = phases.find(({ terms }) => terms.every((term) => isHard(term) || fades(term)));
  if (!phase || method === 'auto') return;
  const which = phases.length > 1 ? `the phase "${phase.name}"` : 'the student';
  throw new RetortError(
    'DATA_EMPTY',
    `${which} would ${phase.terms.some(fades) ? 'in the end ' : ''}learn from labels alone, and no training row has one that may be used`,
    { hint: 'Take "label-free", an objective with "kl", or data with labels.' },
  );
}
