import type { Strategy } from '../core/strategies/strategy.ts';
import { RetortError } from '../errors.ts';
import { DEFAULT_ALPHA } from './resolve-objective.ts';

/**
 * SPEC_INVALID where `alpha` leaves a part of the objective to labels and the strategy reads none. In the words of the spec,
 * in which nobody has written the "cross-entropy" that this part is.
 */
export function refuseLabelShare(
  objective: object | undefined,
  { name, withoutLabels }: Pick<Strategy, 'name' | 'withoutLabels'>,
): void {
  if (!withoutLabels || !objective || 'terms' in objective) return;
  const { alpha } = objective as { readonly alpha?: number };
  if (alpha === 1) return;
  const written =
    alpha === undefined ? `"alpha" is ${DEFAULT_ALPHA} where it is left out` : `"alpha" is ${alpha}`;
  throw new RetortError(
    'SPEC_INVALID',
    `/objective: the strategy "${name}" reads no labels, and ${written}, which gives them the rest`,
    { hint: `Say "objective": ${JSON.stringify({ ...objective, alpha: 1 })}.` },
  );
}
