import type { Phase } from '../../core/strategies/phase.ts';
import { phaseStudent } from '../../spec/phase-student.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { about } from '../about.ts';

/** Work on the student of a phase; where it came as a file, errors say which one, and in which phase of several. */
export async function aboutStudent<T>(
  phase: Pick<Phase, 'name' | 'student'>,
  { student, phases }: Pick<ResolvedSpec, 'student' | 'phases'>,
  work: () => Promise<T>,
): Promise<T> {
  const choice = phaseStudent(phase, student);
  if (choice.kind !== 'model') return work();
  const which = phases.length > 1 ? ` of the phase "${phase.name}"` : '';
  return about(`student "${choice.file}"${which}`, work);
}
