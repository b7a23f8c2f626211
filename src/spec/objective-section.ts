import Type from 'typebox';
import { losses } from '../core/losses/index.ts';
import type { Loss } from '../core/losses/loss.ts';
import { resolveOptions } from '../core/options.ts';
import { temperatureRange } from '../core/temperature-range.ts';
import { closed } from './closed.ts';
import { registryEntry } from './registry-entry.ts';

const Temperature = Type.Optional(
  Type.Union([Type.Number(temperatureRange), Type.Literal('learned')], {
    description: '"learned": from 4 on, against the student (CTKD)',
  }),
);

/** alpha * KL(teacher, student at temperature) + (1 - alpha) * cross-entropy with the labels. */
const Sugar = Type.Object(
  {
    alpha: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    temperature: Temperature,
    logitStandardization: Type.Optional(Type.Boolean()),
  },
  closed,
);

const Weight = (published: number | undefined) =>
  Type.Optional(
    Type.Union(
      [
        Type.Number({ minimum: 0 }),
        Type.Literal('auto'),
        ...(published === undefined ? [] : [Type.Literal('published')]),
      ],
      {
        description: `default 1; "auto" lets the term begin with the say of all terms that have a number${published === undefined ? '' : `; "published" is ${published} at the default options, for each pair of tensors or inner layer`}`,
      },
    ),
  );

const Tensors = (whose: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.Literal('auto'),
        Type.String({ minLength: 1 }),
        Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
      ],
      {
        description: `tensors of the ${whose} by name, or "auto" (default); several are compared in pairs; read by rank: [N, C, H, W] maps, [N, L, D] sequences (so [N, C, L] of a Conv1d, too: C tokens), [N, D] vectors`,
      },
    ),
  );

const Layers = Type.Optional(
  Type.Union(
    [Type.Literal('auto'), Type.Array(Type.String({ minLength: 1 }), { minItems: 2, uniqueItems: true })],
    {
      description:
        'tensors of the student by name, the deepest layer last, or "auto" (default); read by rank as "to" is: [N, C, L] is taken for C tokens',
    },
  ),
);

const Terms = Type.Object(
  {
    terms: Type.Array(
      registryEntry<Loss>('loss', losses, ({ needs, options, publishedWeight }) => ({
        weight: Weight(publishedWeight?.(resolveOptions(options, {}, 'loss'))),
        temperature: Temperature,
        ...(needs.includes('features') ? { from: Tensors('teacher'), to: Tensors('student') } : {}),
        ...(needs.includes('layers') ? { at: Layers } : {}),
      })),
      { minItems: 1 },
    ),
  },
  closed,
);

export const Objective = Type.Union([Sugar, Terms]);
