import Type from 'typebox';
import type { Strategy } from './strategy.ts';
import { demand, readsLabels, readsTeacherLogits, refuse } from './terms.ts';

const count = (fallback: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum, description });
const weight = (fallback: number, description: string) =>
  Type.Number({ default: fallback, minimum: 0, description });

const options = Type.Object(
  {
    images: count(1024, 1_000_000, 'pictures to recover; they are the training rows'),
    batch: count(
      128,
      4096,
      'pictures made together, whose statistics are matched; more than there are classes',
    ),
    steps: count(1000, 1_000_000, 'optimizer steps per batch'),
    learningRate: Type.Number({
      default: 0.1,
      exclusiveMinimum: 0,
      description: 'of Adam, falling by a cosine',
    }),
    shift: Type.Integer({
      default: 2,
      minimum: 0,
      maximum: 64,
      description: 'pixels by which the teacher is shown them shifted, at most',
    }),
    flip: Type.Boolean({
      default: false,
      description: 'whether it is shown mirrored ones too; right for photos, wrong for script',
    }),
    labels: weight(1, 'weight of the cross-entropy with the classes that are drawn'),
    statistics: weight(10, "weight of the distance to the teacher's batch-normalisation statistics"),
    variation: weight(1, 'weight of the squared differences of neighbouring pixels'),
    size: weight(0.001, 'weight of the squared pixels'),
  },
  { additionalProperties: false },
);

/**
 * Without training data: pictures are recovered from the teacher (DeepInversion), from noise, so that it sees the
 * classes that are drawn and its batch normalisation the statistics it was trained on; the student learns from the
 * teacher on them. The dataset of the job is for validation and test alone. Needs batch normalisation that was not
 * folded into the layers before it. docs/adr/0012 has the terms.
 */
export const dataFree: Strategy<typeof options> = {
  name: 'data-free',
  summary: "one run on pictures recovered from the teacher's batch-normalisation statistics",
  citation:
    'Yin et al., "Dreaming to Distill: Data-free Knowledge Transfer via DeepInversion", CVPR 2020, arXiv 1912.08795',
  options,
  terms: () => [{ loss: 'kl' }],
  inversion({ images, batch, steps, learningRate, shift, flip, ...weights }) {
    return { images, batch: Math.min(batch, images), steps, learningRate, shift, flip, weights };
  },
  withoutLabels: true,
  phases(terms) {
    refuse('data-free', terms.filter(readsLabels), 'reads labels', 'Recovered pictures have none.');
    refuse(
      'data-free',
      terms.filter(({ from, weighing }) => from === 'auto' || weighing === 'auto'),
      'is settled by looking at training rows, before there are any',
      'Name its tensors in "from" and "to", and give it a weight: a number or "published".',
    );
    demand('data-free', terms.filter(readsTeacherLogits), "reads the teacher's logits", 'Add one: "kl".');
    return [{ name: 'all', terms, share: 1 }];
  },
};
