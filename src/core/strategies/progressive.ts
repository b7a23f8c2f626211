import Type from 'typebox';
import type { Phase } from './phase.ts';
import type { Strategy } from './strategy.ts';
import { demand, readsTeacherLogits } from './terms.ts';

const options = Type.Object(
  {
    assistants: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      minItems: 1,
      maxItems: 10,
      description:
        'from large to small, each by the options in which it differs from the student: {"width": 32}; with `architecture`, a student of its own',
    }),
    share: Type.Number({
      default: 1,
      exclusiveMinimum: 0,
      maximum: 10,
      description: 'steps of each assistant, as a part of those of the student',
    }),
  },
  { additionalProperties: false },
);

/**
 * Teacher assistants: the first learns from the job's teacher, each later one and at last the student from the one before
 * it, all on the same objective. The best assistant lies midway between its teacher and the student in accuracy, not in
 * size: the report says where each stands, and what midway would have been.
 */
export const progressive: Strategy<typeof options> = {
  name: 'progressive',
  summary: 'assistants of falling size between teacher and student, each taught by the one before',
  citation:
    'Mirzadeh et al., "Improved Knowledge Distillation via Teacher Assistant", AAAI 2020, arXiv 1902.03393',
  options,
  phases(terms, { assistants, share }) {
    demand('progressive', terms.filter(readsTeacherLogits), "reads the teacher's logits", 'Add one: "kl".');
    const helpers = assistants.map((own, i): Phase => {
      const phase = {
        name: `assistant-${i + 1}`,
        terms,
        share,
        student: { options: own },
        assistant: true,
      } as const;
      return i === 0 ? phase : { ...phase, teachers: { [`assistant-${i}`]: 1 } };
    });
    return [...helpers, { name: 'student', terms, share: 1, teachers: { [helpers.at(-1)!.name]: 1 } }];
  },
};
