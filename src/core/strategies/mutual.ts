import Type from 'typebox';
import type { Phase } from './phase.ts';
import type { Strategy } from './strategy.ts';
import { demand, readsTeacherLogits } from './terms.ts';

const options = Type.Object(
  {
    peer: Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      description: 'options in which the peer differs from the student; its initial weights always do',
    }),
    alone: Type.Number({
      default: 0.5,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'part of the steps that each makes first, on the teacher alone',
    }),
    rounds: Type.Integer({
      default: 5,
      minimum: 1,
      maximum: 100,
      description:
        'how often the two take turns after that; each makes all steps in all together, an epoch or step a turn at least',
    }),
    weight: Type.Number({
      default: 0.25,
      exclusiveMinimum: 0,
      maximum: 1,
      description: "the other's part of the soft targets, beside the teacher's",
    }),
  },
  { additionalProperties: false },
);

/**
 * Mutual learning in turns. After a part on the teacher alone, each of two students learns from the mean of the teacher's
 * probabilities and those of the other one after its last turn, at the objective's temperature: the sum of the two
 * divergences up to a constant. Zhang et al. update both at every batch; predictions that are many steps old are
 * codistillation (Anil et al.), which bears them well, once both know something. We take turns because each is one
 * ordinary Program: any two architectures, any kernel, one network in memory, and a kill costs what it always costs. A
 * student's turns continue one another, under one schedule; their predictions are those of an epoch or a few ago. `weight`
 * is below the half that would make the other as weighty as the teacher, which knows more.
 */
export const mutual: Strategy<typeof options> = {
  name: 'mutual',
  summary: 'two students take turns and learn from the teacher and from each other',
  citation:
    'Zhang et al., "Deep Mutual Learning", CVPR 2018, arXiv 1706.00384; Anil et al., ICLR 2018, arXiv 1804.03235 (in turns)',
  options,
  phases(terms, { peer, alone, rounds, weight }) {
    demand('mutual', terms.filter(readsTeacherLogits), "reads the teacher's logits", 'Add one: "kl".');
    const turn = (name: string, other: string, round: number, others: number): Phase => {
      const share = round === 0 ? alone : (1 - alone) / rounds;
      const whole: Phase = { name: `${name}-${round}`, terms, share };
      const phase: Phase = round < rounds ? { ...whole, select: 'last' } : whole;
      if (round === 0) return phase;
      const own = weight < 1 ? { teacher: 1 - weight } : {};
      return {
        ...phase,
        from: `${name}-${round - 1}`,
        continues: true,
        teachers: { ...own, [`${other}-${others}`]: weight },
      };
    };
    return Array.from({ length: rounds + 1 }, (_, round): Phase[] => {
      const second = turn('peer', 'student', round, round - 1);
      return [{ ...second, student: { options: peer, seed: 1 } }, turn('student', 'peer', round, round)];
    }).flat();
  },
};
