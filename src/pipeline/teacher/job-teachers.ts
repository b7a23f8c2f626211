import type { ClassMap } from '../../core/ensemble/class-map.ts';
import { JOB_TEACHER } from '../../core/strategies/phase.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { BlobRef } from '../ports.ts';
import type { ModelCard } from '../report/model-card.ts';
import type { Results } from '../results.ts';
import type { TeacherPlan } from './teacher-plan.ts';

/** One of those that teach: what it is fed, how it is run, what its scores mean. */
export interface JobTeacher {
  /** `teacher` for the job's own, else its file. */
  readonly name: string;
  readonly plan: TeacherPlan;
  readonly card: ModelCard;
  readonly files: Readonly<Record<string, BlobRef>>;
  readonly inputs: ResolvedSpec['inputs'];
}

/** All that teach, the job's own first. */
export function jobTeachers(
  { inspect, decode }: Pick<Results, 'inspect' | 'decode'>,
  { inputs, ensemble }: Pick<ResolvedSpec, 'inputs' | 'ensemble'>,
): readonly [JobTeacher, ...JobTeacher[]] {
  const { plan, card, others = [] } = inspect;
  return [
    { name: JOB_TEACHER, plan, card, files: decode.files, inputs },
    ...others.map(
      ({ file, ...own }, i): JobTeacher => ({
        name: file,
        ...own,
        files: decode.others![i]!,
        inputs: ensemble!.others[i]!.inputs,
      }),
    ),
  ];
}

/** What their scores mean, in the same order; undefined where the outputs are the classes of the job. */
export const classMaps = ({ others = [] }: Results['qualify']): readonly (ClassMap | undefined)[] => [
  undefined,
  ...others.map(({ map }) => map ?? undefined),
];
