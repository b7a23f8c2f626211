import type { Combination, Ensemble } from '../core/ensemble/ensemble.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import { takesPlainScores } from '../core/strategies/terms.ts';
import { RetortError } from '../errors.ts';

/** What a combination leaves of scores; undefined where they keep their meaning. */
const left: Readonly<Record<Combination, string | undefined>> = {
  probabilities: 'logarithms of probabilities that add up to 1',
  'standardized-logits': 'scores moved to a mean of 0 in every row',
  logits: undefined,
};

/** An ensemble; SPEC_INVALID where the objective takes scores as they are and the combination leaves none such. */
export function checkEnsemble(ensemble: Ensemble, terms: readonly ObjectiveTerm[]): Ensemble {
  const what = left[ensemble.combine];
  const term = terms.find(takesPlainScores);
  if (!what || !term) return ensemble;
  throw new RetortError(
    'SPEC_INVALID',
    `/strategy/combine: "${ensemble.combine}" makes ${what}, and "${term.loss}" takes the teacher's scores as they are`,
    { hint: `Take "combine": "logits", or "kl" in place of "${term.loss}".` },
  );
}
