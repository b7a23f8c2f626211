import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import type { Model } from '../../core/onnx/model.ts';
import { entryOf } from '../../core/options.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import { invariant, RetortError } from '../../errors.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import { initialValues } from './initial-values.ts';

/**
 * The terms with numbers in the place of `published` and `auto`. A published weight is for one pair of tensors or one
 * inner layer; since a loss is the mean over them and papers sum them, it counts once for each. `auto` is set by the ratio at the start:
 * weight = sum over terms with given weights of weight * value / |own value|, on the untrained student and some batches, so
 * that each such term begins with the say of all the others together. It is kept to three digits: measured on another
 * machine it would be the same.
 */
export async function weighTerms(
  terms: readonly ObjectiveTerm[],
  sides: { readonly student: Model; readonly rows: Rows },
  done: Pick<Results, 'inspect' | 'decode' | 'qualify'>,
  context: StageContext,
): Promise<readonly ObjectiveTerm[]> {
  const given = terms.map(published);
  if (!given.some(isOpen)) return given;
  const values = await initialValues(given, sides, done, context);
  const fixed = given.reduce(
    (sum, term, i) => sum + (isOpen(term) ? 0 : term.weight * Math.abs(values[i]!)),
    0,
  );
  return given.map((term, i) => {
    if (!isOpen(term)) return term;
    const initial = Number(values[i]!.toPrecision(3));
    const weight = Number((fixed / Math.abs(values[i]!)).toPrecision(3));
    if (!(weight > 0 && Number.isFinite(weight))) refuse(term.loss, values[i]!, fixed);
    return { ...term, weight, weighing: { initial } };
  });
}

const isOpen = ({ weighing }: ObjectiveTerm): boolean => weighing === 'auto';

function published(term: ObjectiveTerm): ObjectiveTerm {
  if (term.weighing !== 'published') return term;
  const { weighing: _weighing, ...rest } = term;
  const weight = entryOf<Loss>(losses, term.loss, 'loss').publishedWeight?.(term.options);
  invariant(weight !== undefined, `"${term.loss}" has no published weight`);
  return { ...rest, weight: weight * countOf(term) };
}

/** Pairs, or layers that the deepest one teaches. */
const countOf = ({ from, at }: ObjectiveTerm): number =>
  from?.length ?? (at === undefined ? 1 : at.length - 1);

function refuse(loss: string, value: number, fixed: number): never {
  throw new RetortError(
    'SPEC_INVALID',
    `/objective/terms: the weight of "${loss}" cannot be set by the ratio of ${fixed} to ${value} before training`,
    { hint: 'Give it a number.' },
  );
}
