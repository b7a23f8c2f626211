import type { Phase } from '../core/strategies/phase.ts';
import { RetortError } from '../errors.ts';
import { resolveStudent } from './resolve-student.ts';
import type { StudentChoice } from './resolved-spec.ts';

/** The student that a phase trains: the job's, or what the phase says in its place. */
export function phaseStudent(
  { name, student }: Pick<Phase, 'name' | 'student'>,
  job: StudentChoice,
): StudentChoice {
  if (job.kind === 'model' && student?.seed) {
    throw new RetortError(
      'SPEC_INVALID',
      `/strategy: the phase "${name}" needs the student with other initial weights; an uploaded one has only its own`,
      { hint: 'Name an architecture.' },
    );
  }
  const own = student?.options;
  if (!own || Object.keys(own).length === 0) return job;
  if ('architecture' in own) return resolveStudent(own);
  if (job.kind !== 'architecture') {
    throw new RetortError(
      'SPEC_INVALID',
      `/strategy: the phase "${name}" changes options of the student, which names no architecture`,
      { hint: 'Give the phase an "architecture" too, or name one in student.' },
    );
  }
  return resolveStudent({ architecture: job.name, ...job.options, ...own });
}
