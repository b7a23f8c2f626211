import { entryOf, resolveOptions } from '../core/options.ts';
import { students } from '../core/students/index.ts';
import type { StudentArchitecture } from '../core/students/student.ts';
import type { StudentChoice, StudentLimits } from './resolved-spec.ts';

/** The student with its options filled in. Default: the largest of at most 100,000 parameters. */
export function resolveStudent(student: object | undefined): StudentChoice {
  if (!student) return { kind: 'auto', limits: { maxParams: 100_000 } };
  if ('auto' in student) return { kind: 'auto', limits: student.auto as StudentLimits };
  if ('model' in student) return { kind: 'model', file: student.model as string };
  const { architecture, ...options } = student as { architecture: string };
  const entry = entryOf<StudentArchitecture>(students, architecture, 'student architecture');
  return {
    kind: 'architecture',
    name: architecture,
    options: resolveOptions(entry.options, options, architecture),
  };
}
