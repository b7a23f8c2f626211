import type { Strategy } from '../core/strategies/strategy.ts';
import { RetortError } from '../errors.ts';

/** SPEC_INVALID for an option of the strategy that is written and decides nothing, since the objective says its terms itself. */
export function refuseUnreadOptions(
  { name, terms, adds, ofTerms = [] }: Strategy,
  written: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, unknown>>,
  objective: object | undefined,
): void {
  if (!objective) return;
  const said = 'terms' in objective ? (objective.terms as readonly { readonly loss: string }[]) : [];
  const added = adds?.(options).some((term) => said.some(({ loss }) => loss === term.loss));
  const unread = terms || added ? ofTerms.find((option) => option in written) : undefined;
  if (unread === undefined) return;
  throw new RetortError(
    'SPEC_INVALID',
    `/strategy/${unread} decides what "${name}" learns where /objective does not say it, and /objective does`,
    { hint: `Leave out strategy.${unread} and say it in objective.terms, or leave it to the strategy.` },
  );
}
