import Type from 'typebox';
import type { Phase } from './phase.ts';
import type { Strategy } from './strategy.ts';
import { demand, readsTeacherLogits } from './terms.ts';

const options = Type.Object(
  {
    generations: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 20,
      description: 'students, each taught by the one before; each makes all steps',
    }),
  },
  { additionalProperties: false },
);

/**
 * Born-again networks: the first generation learns from the job's teacher, each later one from the one before it, on the
 * same objective, from new initial weights. The last is the student. Gains are known to end after one to three.
 */
export const self: Strategy<typeof options> = {
  name: 'self',
  summary: 'generations of the same student, each taught by the one before',
  citation: 'Furlanello et al., "Born-Again Neural Networks", ICML 2018, arXiv 1805.04770',
  options,
  phases(terms, { generations }) {
    demand('self', terms.filter(readsTeacherLogits), "reads the teacher's logits", 'Add one: "kl".');
    return Array.from({ length: generations }, (_, i): Phase => {
      const phase = { name: `generation-${i + 1}`, terms, share: 1 };
      if (i === 0) return phase;
      return { ...phase, student: { seed: i }, teachers: { [`generation-${i}`]: 1 } };
    });
  },
};
