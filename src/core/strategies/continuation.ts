import Type from 'typebox';
import { temperatureRange } from '../temperature-range.ts';
import { annealed, refuseOtherStart } from './annealing.ts';
import type { Strategy } from './strategy.ts';
import { alone, demand, isHard } from './terms.ts';

const options = Type.Object(
  {
    maxTemperature: Type.Integer({
      default: 20,
      minimum: 1,
      maximum: temperatureRange.maximum,
      description: 'temperature of the first stair; the last is 1',
    }),
    margin: Type.Number({
      default: 0,
      minimum: 0,
      description: 'mean squared difference that is forgiven, where the spec names no objective',
    }),
    over: Type.Number({
      default: 0.75,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'part of the steps after which only the labels count',
    }),
  },
  { additionalProperties: false },
);

/**
 * Continuation-KD: psi * labels + (1 - psi) * soft targets, the labels of weight 1 and the others of theirs, psi rising in a
 * line from 0 to 1 over the first part of the steps (published: 150 of 200 epochs) while the temperature falls from T_max
 * (published: 20 for pictures, 10 for text) to 1. The soft target is `annealed-mse` with its margin where the spec names no
 * objective.
 */
export const continuation: Strategy<typeof options> = {
  name: 'continuation',
  summary: 'weight moves from soft targets to labels while the temperature falls',
  citation:
    'Jafari, Kobyzev, Rezagholizadeh, Poupart, Ghodsi, "Continuation KD", Findings of EMNLP 2022, arXiv 2212.05998',
  options,
  terms: ({ maxTemperature, margin }) => [
    { loss: 'annealed-mse', maxTemperature, margin },
    { loss: 'cross-entropy' },
  ],
  ofTerms: ['margin'],
  phases(terms, { maxTemperature, over }) {
    const hard = demand('continuation', terms.filter(isHard), 'reads labels alone', 'Add "cross-entropy".');
    const soft = terms.filter((term) => !isHard(term));
    demand('continuation', soft, 'reads the teacher', 'Add one: "annealed-mse".');
    refuseOtherStart('continuation', soft, maxTemperature);
    const weighted = [
      { part: annealed(soft, maxTemperature, over), weight: { from: 1, to: 0, over } },
      { part: alone(hard), weight: { from: 0, to: 1, over } },
    ];
    const all = weighted.flatMap(({ part, weight }) =>
      part.map((term) => ({ ...term, schedule: { ...term.schedule, weight } })),
    );
    return [{ name: 'all', terms: all, share: 1 }];
  },
};
