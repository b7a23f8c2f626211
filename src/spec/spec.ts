import Type, { type Static } from 'typebox';
import { Preprocess } from '../core/preprocess.ts';
import { strategies } from '../core/strategies/index.ts';
import { augmentations } from '../data/augment/index.ts';
import { closed } from './closed.ts';
import { Data, Labels } from './data-section.ts';
import { Objective } from './objective-section.ts';
import { registryEntry } from './registry-entry.ts';
import { Student } from './student-section.ts';
import { trainSection } from './train-section.ts';

/**
 * Spec v1: what a user asks for (docs/adr/0002). One closed schema assembled from the registries: validation, types,
 * CLI help and API description all come from it. `resolveSpec` turns it into a ResolvedSpec with every default filled.
 */
export const Spec = Type.Object(
  {
    version: Type.Literal(1),
    /** By teacher input name; '*' stands for the one input of a teacher that has one. */
    inputs: Type.Optional(Type.Record(Type.String(), Preprocess)),
    labels: Type.Optional(Labels),
    data: Type.Optional(Data),
    teacherQuality: Type.Optional(Type.Object({ override: Type.Optional(Type.Boolean()) }, closed)),
    student: Type.Optional(Student),
    /**
     * `auto` tries a few, the fancier ones on the whole length, and takes what does best on validation, in the place of
     * objective and strategy (docs/adr/0011).
     */
    method: Type.Optional(Type.Literal('auto')),
    strategy: Type.Optional(registryEntry('name', strategies)),
    objective: Type.Optional(Objective),
    train: Type.Optional(trainSection(augmentations)),
    export: Type.Optional(
      Type.Object(
        {
          /** Largest difference between a logit of the trained and of the exported student, relative to the largest logit. */
          tolerance: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
        },
        closed,
      ),
    ),
    /** Whether the student without distillation is trained beside, same seed and budget. */
    controls: Type.Optional(Type.Boolean()),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffffffff })),
    /** How many students (and controls) are trained, each from other initial weights and in another order of rows. */
    seeds: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  closed,
);

export type Spec = Static<typeof Spec>;
