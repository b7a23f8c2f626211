import { type EntrySpec, entryOf } from '../core/options.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import { checkPhases } from '../core/strategies/check-phases.ts';
import { strategies } from '../core/strategies/index.ts';
import type { Phase } from '../core/strategies/phase.ts';
import type { Strategy } from '../core/strategies/strategy.ts';
import { phaseStudent } from './phase-student.ts';
import type { StudentChoice } from './resolved-spec.ts';

/** The phases a strategy makes of an objective, with students that can be described. */
export function resolvePhases(
  { name, options }: EntrySpec,
  terms: readonly ObjectiveTerm[],
  student: StudentChoice,
): readonly Phase[] {
  const { phases } = entryOf<Strategy>(strategies, name, 'strategy');
  const made = checkPhases(name, phases(terms, options));
  for (const phase of made) phaseStudent(phase, student);
  return made;
}
