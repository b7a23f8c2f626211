import Type from 'typebox';
import { selfDistillation } from '../losses/self-distillation.ts';
import { temperatureRange } from '../temperature-range.ts';
import type { Strategy } from './strategy.ts';

const options = Type.Object(
  {
    weight: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Literal('published')], {
      default: 'published',
      description: 'of the term that is added; "published" is 1 for each inner layer',
    }),
    temperature: Type.Number({
      default: selfDistillation.temperature!,
      ...temperatureRange,
      description: 'of the last layer as a teacher',
    }),
    ...selfDistillation.options.properties,
  },
  { additionalProperties: false },
);

/**
 * The objective in one run, and in it the student as a teacher of its own inner layers: the term `self-distillation` is
 * added. Besides the objective nothing reads the job's teacher. It is no option of `self`, which makes students one after
 * the other by a teacher's logits: this needs neither. Both at once are `self` with that term in its objective.
 */
export const selfWithin: Strategy<typeof options> = {
  name: 'self-within',
  summary: 'one run, in which the last layer of the student teaches its inner ones, too',
  citation: selfDistillation.citation,
  options,
  adds: (term) => [{ loss: selfDistillation.name, ...term }],
  ofTerms: Object.keys(options.properties),
  phases: (terms) => [{ name: 'all', terms, share: 1 }],
};
