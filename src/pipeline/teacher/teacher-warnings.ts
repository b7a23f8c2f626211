import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Results } from '../results.ts';
import { seedWarnings } from '../student/seed-warnings.ts';
import { fewRowWarnings } from './few-row-warnings.ts';
import { idleWarnings } from './idle-warnings.ts';
import { repeatWarnings } from './repeat-warnings.ts';
import type { TeacherPlan } from './teacher-plan.ts';
import { untaughtWarnings } from './untaught-warnings.ts';

/** What was found of the teachers, of files beside them, of their rows, of what they teach and of seeds before any compute was spent. */
export const teacherWarnings = (
  { inspect, qualify }: Pick<Results, 'inspect' | 'qualify'>,
  spec: Pick<ResolvedSpec, 'phases' | 'student' | 'train' | 'seeds' | 'method' | 'choice'>,
): string[] => [
  ...inspect.card.warnings,
  ...(inspect.others ?? []).flatMap(({ file, card }) =>
    card.warnings.map((warning) => `further teacher "${file}": ${warning}`),
  ),
  ...inspect.warnings,
  ...qualify.warnings,
  ...untaughtWarnings(spec),
  ...idleWarnings(qualify.labelled, spec),
  ...idWarnings(inspect.plan, spec),
  ...repeatWarnings(qualify.card.splits.train.rows, spec.train),
  ...fewRowWarnings(qualify.card.splits.train.rows, spec),
  ...seedWarnings(spec),
];

/** Architectures of ours have no embedding. */
const idWarnings = ({ input, table }: TeacherPlan, { student }: Pick<ResolvedSpec, 'student'>): string[] =>
  table && student.kind !== 'model'
    ? [
        `"${input.name}" holds ids (the teacher looks them up in "${table.name}", ${table.rows} rows), and the student takes them for quantities: it will hardly learn; upload one with an embedding of its own`,
      ]
    : [];
