import Type from 'typebox';
import { losses } from '../core/losses/index.ts';
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

const Terms = Type.Object(
  {
    terms: Type.Array(
      registryEntry('loss', losses, {
        weight: Type.Optional(Type.Number({ minimum: 0 })),
        temperature: Temperature,
      }),
      { minItems: 1 },
    ),
  },
  closed,
);

export const Objective = Type.Union([Sugar, Terms]);
