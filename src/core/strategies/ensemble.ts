import Type, { type Static } from 'typebox';
import { RetortError } from '../../errors.ts';
import { combinations, type Weighting } from '../ensemble/ensemble.ts';
import { temperatureRange } from '../temperature-range.ts';
import type { Strategy } from './strategy.ts';
import { furtherTeachers, weightedTeachers } from './teacher-options.ts';
import { demand, readsTeacherLogits } from './terms.ts';

const oneOf = <const N extends readonly string[]>(names: N, fallback: N[number], description: string) =>
  Type.Union(
    names.map((name) => Type.Literal(name as N[number])),
    { default: fallback, description },
  );

const options = Type.Object(
  {
    teachers: weightedTeachers,
    weight: Type.Number({ default: 1, exclusiveMinimum: 0, description: "weight of the job's own teacher" }),
    combine: oneOf(combinations, 'probabilities', 'what is averaged'),
    temperature: Type.Number({
      default: 1,
      ...temperatureRange,
      description:
        'at which probabilities are averaged; give it that of the loss to average what the loss compares',
    }),
    weights: oneOf(
      ['fixed', 'confidence', 'agreement', 'learned'],
      'fixed',
      'what the weights follow: nothing, how sure a teacher is of each row, whether it agrees with its label or else with the majority, the fit to the labelled validation rows',
    ),
    confidence: oneOf(
      ['entropy', 'max'],
      'entropy',
      'measure of `confidence`: 1 - entropy / ln C, or the largest probability',
    ),
    dissent: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 1,
      description:
        'factor of `agreement` for teachers against the majority, on rows without a label; 0 drops them',
    }),
  },
  { additionalProperties: false },
);

/**
 * Several teachers as one: each is fed in its own way and may know other classes; what they say of a row is averaged
 * with weights, and that is the teacher of the job. docs/adr/0010 defines it. `agreement` with labels is CA-MKD on
 * logits (Zhang et al., ICASSP 2022, arXiv 2201.00007). Terms on hidden tensors compare those of the job's own teacher.
 */
export const ensemble: Strategy<typeof options> = {
  name: 'ensemble',
  summary: 'one run on the mean of several teachers, with fixed, confidence, agreement or learned weights',
  citation:
    'You, Xu, Xu, Tao, "Learning from Multiple Teacher Networks", KDD 2017; Hinton, Vinyals, Dean, 2015, arXiv 1503.02531',
  options,
  ensemble({ teachers, weight, combine, temperature, weights, confidence, dissent }) {
    refuseUnread({ combine, temperature, weights, confidence, dissent });
    const weighting: Weighting =
      weights === 'confidence'
        ? { by: weights, confidence: confidence === 'max' ? 'max' : 'entropy' }
        : weights === 'agreement'
          ? { by: weights, dissent }
          : { by: weights === 'learned' ? 'learned' : 'fixed' };
    return { weight, others: furtherTeachers('ensemble', teachers), combine, temperature, weighting };
  },
  phases(terms) {
    demand('ensemble', terms.filter(readsTeacherLogits), "reads the teachers' logits", 'Add one: "kl".');
    return [{ name: 'all', terms, share: 1 }];
  },
};

/** SPEC_INVALID for an option that says something and that nothing would read. */
function refuseUnread({
  combine,
  temperature,
  weights,
  confidence,
  dissent,
}: Pick<Static<typeof options>, 'combine' | 'temperature' | 'weights' | 'confidence' | 'dissent'>): void {
  const unread =
    temperature !== 1 && combine !== 'probabilities'
      ? (['temperature', 'combine', 'probabilities', combine] as const)
      : confidence !== 'entropy' && weights !== 'confidence'
        ? (['confidence', 'weights', 'confidence', weights] as const)
        : dissent !== 0 && weights !== 'agreement'
          ? (['dissent', 'weights', 'agreement', weights] as const)
          : undefined;
  if (!unread) return;
  const [option, by, wanted, given] = unread;
  throw new RetortError(
    'SPEC_INVALID',
    `/strategy/${option} is read with "${by}": "${wanted}" alone, and "${by}" is "${given}"`,
    { hint: `Leave out "${option}", or say "${by}": "${wanted}".` },
  );
}
