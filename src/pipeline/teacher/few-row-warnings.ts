import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import { entryOf } from '../../core/options.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';

/** What losses say of their options on so few training rows, each once. */
export const fewRowWarnings = (rows: number, { phases }: Pick<ResolvedSpec, 'phases'>): readonly string[] => {
  const terms = phases.flatMap((phase) => phase.terms);
  const said = terms.map(({ loss, options }) => entryOf<Loss>(losses, loss, 'loss').warnsOf?.(options, rows));
  return [...new Set(said.filter((warning) => warning !== undefined))];
};
