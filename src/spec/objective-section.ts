import Type from 'typebox';
import { losses } from '../core/losses/index.ts';
import type { Loss } from '../core/losses/loss.ts';
import { closed } from './closed.ts';
import { registryEntry } from './registry-entry.ts';

const Temperature = Type.Optional(Type.Number({ exclusiveMinimum: 0 }));

/** alpha * KL(teacher, student at temperature) + (1 - alpha) * cross-entropy with the labels. */
const Sugar = Type.Object(
  {
    alpha: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    temperature: Temperature,
    logitStandardization: Type.Optional(Type.Boolean()),
  },
  closed,
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
        description: `tensors of the ${whose} by name, or "auto" (default); several are compared in pairs`,
      },
    ),
  );

const Terms = Type.Object(
  {
    terms: Type.Array(
      registryEntry<Loss>('loss', losses, ({ needs }) => ({
        weight: Type.Optional(Type.Number({ minimum: 0 })),
        temperature: Temperature,
        ...(needs.includes('features') ? { from: Tensors('teacher'), to: Tensors('student') } : {}),
      })),
      { minItems: 1 },
    ),
  },
  closed,
);

export const Objective = Type.Union([Sugar, Terms]);
