import { takesPlainScores } from '../../core/strategies/terms.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { QualifiedTeacher } from '../results.ts';

/**
 * SPEC_INVALID where a loss takes scores as they are and a further teacher has not one for every class: what it says of
 * classes it does not know, or has several outputs for, is worked out from probabilities.
 */
export function refuseInferredScores(
  { phases, ensemble }: Pick<ResolvedSpec, 'phases' | 'ensemble'>,
  others: readonly QualifiedTeacher[] = [],
): void {
  const term = phases.flatMap(({ terms }) => terms).find(takesPlainScores);
  const index = others.findIndex(({ map }) => map?.some((outputs) => outputs.length !== 1));
  if (!term || index < 0) return;
  throw new RetortError(
    'SPEC_INVALID',
    `"${term.loss}" takes the teachers' scores as they are, and further teacher "${ensemble!.others[index]!.file}" has not one output for every class`,
    { hint: `Leave that teacher out, or take "kl" in place of "${term.loss}".` },
  );
}
