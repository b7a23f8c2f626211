import { RetortError } from '../../errors.ts';
import { losses } from '../losses/index.ts';
import type { Loss } from '../losses/loss.ts';
import { entryOf } from '../options.ts';
import { needsOf, type ObjectiveTerm } from '../program/build-program.ts';

/** How strategies tell the terms of an objective apart: by what their losses need, never by their names. */

type Terms = readonly ObjectiveTerm[];

const needs = (term: ObjectiveTerm, need: string): boolean =>
  [...needsOf([term])].some((each) => each === need);

export const readsLabels = (term: ObjectiveTerm): boolean => needs(term, 'labels');
export const readsTeacherLogits = (term: ObjectiveTerm): boolean => needs(term, 'teacher-logits');
/** Whether labels are all it reads. */
export const isHard = (term: ObjectiveTerm): boolean => [...needsOf([term])].join() === 'labels';
/** Whether it compares inner tensors of the networks. Layers of the student alone are its own affair, whoever teaches. */
export const readsInside = (term: ObjectiveTerm): boolean => needs(term, 'features');

/** Whether it says what class scores should be, so that it teaches the classifier. */
export const teachesScores = (term: ObjectiveTerm): boolean =>
  !readsInside(term) && (readsLabels(term) || readsTeacherLogits(term));

/** Whether it takes the teacher's scores as they are, every one by itself or as values, and not through a softmax. */
export const takesPlainScores = ({ loss }: ObjectiveTerm): boolean =>
  entryOf<Loss>(losses, loss, 'loss').takesScores !== undefined;

/** The temperature at which all that read the teacher's logits soften them; 1 where they differ, or change with the steps. */
export function sharedTemperature(terms: Terms): number {
  const own = terms
    .filter(readsTeacherLogits)
    .map(({ temperature = 1, schedule }) =>
      schedule?.temperature || schedule?.reversal ? undefined : temperature,
    );
  const [first] = own;
  return first !== undefined && own.every((each) => each === first) ? first : 1;
}

/**
 * Terms on labels for steps of their own, weights adding up to 1 as the control's: beside soft targets of large weight, or of
 * nearly all of it, what they weigh says nothing of how large such a step should be.
 */
export function alone(hard: Terms): ObjectiveTerm[] {
  const sum = hard.reduce((total, { weight }) => total + weight, 0);
  // 0.1 / 0.1 shall be 1, of three equal ones each a third.
  return hard.map((term) => ({ ...term, weight: Number((term.weight / sum).toPrecision(12)) }));
}

/** SPEC_INVALID unless there are such terms. */
export function demand(strategy: string, terms: Terms, what: string, hint: string): Terms {
  if (terms.length > 0) return terms;
  throw new RetortError('SPEC_INVALID', `the strategy "${strategy}" needs a term that ${what}`, { hint });
}

/** SPEC_INVALID where there are such terms. */
export function refuse(strategy: string, terms: Terms, what: string, hint: string): void {
  if (terms.length === 0) return;
  const names = terms.map(({ loss }) => loss).join(', ');
  throw new RetortError('SPEC_INVALID', `the strategy "${strategy}" takes no term that ${what}: ${names}`, {
    hint,
  });
}
