import type { Phase } from '../../core/strategies/phase.ts';
import { teachesScores } from '../../core/strategies/terms.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';

/** A warning where nothing the delivered student goes through reads labels or class scores: its classifier stays as it was. */
export function untaughtWarnings({ phases }: Pick<ResolvedSpec, 'phases'>): readonly string[] {
  const made: Phase[] = [];
  for (let phase = phases.at(-1); phase; phase = phases.find(({ name }) => name === made.at(-1)?.from)) {
    made.push(phase);
    if (phase.terms.some(teachesScores)) return [];
  }
  const names = new Set(made.flatMap(({ terms }) => terms.map(({ loss }) => `"${loss}"`)));
  return [
    `${[...names].join(' and ')} say nothing of the student's class scores, so nothing behind the compared tensors is taught: add "kl"`,
  ];
}
