import Type from 'typebox';
import type { ObjectiveTerm } from '../program/build-program.ts';
import type { Curve } from '../schedules/curve.ts';
import { temperatureRange } from '../temperature-range.ts';
import type { Strategy } from './strategy.ts';
import { alone, demand, isHard, readsLabels, readsTeacherLogits, refuse } from './terms.ts';

const options = Type.Object(
  {
    maxTemperature: Type.Integer({
      default: 10,
      minimum: 1,
      maximum: temperatureRange.maximum,
      description: 'temperature of the first stair; the last is 1',
    }),
    soft: Type.Number({
      default: 2 / 3,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'part of the steps spent on soft targets, before the labels',
    }),
  },
  { additionalProperties: false },
);

/** Terms whose temperature falls from `maxTemperature` to 1 in whole numbers, where they read one. */
export const annealed = (terms: readonly ObjectiveTerm[], maxTemperature: number, over: number) => {
  const temperature: Curve = { from: maxTemperature, to: 1, over, stairs: maxTemperature };
  return terms.map((term): ObjectiveTerm => {
    if (term.temperature === undefined) return term;
    return { ...term, schedule: { ...term.schedule, temperature } };
  });
};

/** SPEC_INVALID for terms whose targets are scaled by another highest temperature than the one they begin at. */
export const refuseOtherStart = (
  strategy: string,
  terms: readonly ObjectiveTerm[],
  maxTemperature: number,
): void =>
  refuse(
    strategy,
    terms.filter(({ options: { maxTemperature: own = maxTemperature } }) => own !== maxTemperature),
    `has another maxTemperature than the strategy, which begins at ${maxTemperature}`,
    `Give the term "maxTemperature": ${maxTemperature}, or the strategy that of the term.`,
  );

/**
 * Annealing-KD: first the teacher's logits alone while the temperature falls from T_max to 1 in equal stairs, then the
 * labels alone. The published loss of the first phase is `annealed-mse`, which is taken where the spec names no
 * objective; other terms on the teacher are annealed alike. The paper leaves to tuning how the steps are shared out; the
 * authors' code (huawei-noah, CIFAR) makes 200 epochs and then 100, weights 1, each with a schedule of its own.
 */
export const annealing: Strategy<typeof options> = {
  name: 'annealing',
  summary: 'soft targets while the temperature falls, then the labels alone',
  citation:
    'Jafari, Rezagholizadeh, Sharma, Ghodsi, "Annealing Knowledge Distillation", EACL 2021, arXiv 2104.07163',
  options,
  terms: ({ maxTemperature }) => [{ loss: 'annealed-mse', maxTemperature }, { loss: 'cross-entropy' }],
  phases(terms, { maxTemperature, soft }) {
    const hard = demand('annealing', terms.filter(isHard), 'reads labels alone', 'Add "cross-entropy".');
    const rest = terms.filter((term) => !isHard(term));
    refuse('annealing', rest.filter(readsLabels), 'reads labels and the teacher at once', 'Leave it out.');
    const fading = rest.filter((term) => readsTeacherLogits(term) && term.temperature !== undefined);
    demand('annealing', fading, 'reads the teacher and a temperature', 'Add "annealed-mse" or "kl".');
    refuseOtherStart('annealing', fading, maxTemperature);
    return [
      { name: 'soft-targets', terms: annealed(rest, maxTemperature, 1), share: soft },
      { name: 'labels', terms: alone(hard), share: 1 - soft, from: 'soft-targets' },
    ];
  },
};
