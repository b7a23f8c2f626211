import type { Phase } from '../../core/strategies/phase.ts';
import type { Report } from './report.ts';

/** Where an assistant stands, in accuracy on validation. */
export interface Standing {
  readonly accuracy: number;
  /** Of what taught it: the teacher, or the assistant before it. */
  readonly above: number;
  /** Of the job's student. */
  readonly below: number;
  /** Of the best assistant: halfway between the two (Mirzadeh et al., "Teacher Assistant", AAAI 2020, section 5). */
  readonly midway: number;
}

/** Assistants by name, in order; none where no validation row has a label. */
export function standings(
  { teacher, student }: Report['training'],
  phases: readonly Phase[],
): ReadonlyMap<string, Standing> {
  const found = new Map<string, Standing>();
  const below = student?.validation.accuracy;
  let above = teacher.validation.accuracy;
  for (const [i, { name, assistant }] of phases.entries()) {
    const accuracy = student?.phases[i]?.validation.accuracy;
    if (!assistant || !known(accuracy) || !known(above) || !known(below)) continue;
    found.set(name, { accuracy, above, below, midway: (above + below) / 2 });
    above = accuracy;
  }
  return found;
}

const known = (accuracy: number | null | undefined): accuracy is number => typeof accuracy === 'number';

/** Warnings of assistants that are no step between their teacher and the student. */
export function misplacedAssistants(training: Report['training'], phases: readonly Phase[]): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return [...standings(training, phases)].flatMap(([name, { accuracy, above, below }]) => {
    if (accuracy > below && accuracy < above) return [];
    const advice = accuracy <= below ? 'a larger one may help' : 'a smaller one would do';
    return [
      `${name} is no step between its teacher and the student: accuracy on validation ${percent(accuracy)}, of its teacher ${percent(above)}, of the student ${percent(below)}; ${advice}`,
    ];
  });
}
