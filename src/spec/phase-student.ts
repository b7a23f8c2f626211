import type { Phase } from '../core/strategies/phase.ts';
import { RetortError } from '../errors.ts';
import { problemsOf } from './problems.ts';
import { resolveStudent } from './resolve-student.ts';
import type { StudentChoice } from './resolved-spec.ts';
import { Student } from './student-section.ts';

/** The student that a phase trains: the job's, or what the phase says in its place. */
export function phaseStudent(phase: Pick<Phase, 'name' | 'student'>, job: StudentChoice): StudentChoice {
  const choice = choiceOf(phase, job);
  const { name, student } = phase;
  const isOwn = choice.kind === 'model' && job.kind === 'model' && choice.file === job.file;
  if (!isOwn || !student?.seed) return choice;
  throw new RetortError(
    'SPEC_INVALID',
    `/strategy: the phase "${name}" needs the student with other initial weights; an uploaded one has only its own`,
    { hint: `Name an architecture${student.options ? ', or another model for that phase' : ''}.` },
  );
}

function choiceOf({ name, student }: Pick<Phase, 'name' | 'student'>, job: StudentChoice): StudentChoice {
  const own = student?.options;
  if (!own || Object.keys(own).length === 0) return job;
  const within = (written: object): StudentChoice => ofPhase(name, () => resolveStudent(written));
  const kinds = ['architecture', 'auto', 'model'].filter((key) => key in own);
  if (kinds.length > 0) {
    // Names of architectures and their options are looked up, and the nearest told, when they are resolved.
    const [problem] = kinds.join() === 'architecture' ? [] : problemsOf(Student, own, 'student');
    if (problem === undefined) return within(own);
    throw new RetortError('SPEC_INVALID', `/strategy: of the phase "${name}": ${problem}`);
  }
  if (job.kind !== 'architecture') {
    throw new RetortError(
      'SPEC_INVALID',
      `/strategy: the phase "${name}" changes options of the student, which names no architecture`,
      { hint: 'Give the phase an "architecture" too, or name one in student.' },
    );
  }
  return within({ architecture: job.name, ...job.options, ...own });
}

/** What is wrong with the options of a phase names the phase. */
function ofPhase<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    const { code, message, hint, problems } = error;
    throw new RetortError(code, `/strategy: the student of the phase "${name}": ${message}`, {
      problems,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
