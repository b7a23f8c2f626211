import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { crossEntropy } from './cross-entropy.ts';
import { meanSquare, meanSquareOf } from './feature-means.ts';
import { pooled, pooledOf } from './feature-shapes.ts';
import { kl } from './kl.ts';
import { linearMap, linearMapOf } from './linear-map.ts';
import type { Loss, LossNeed } from './loss.ts';
import { stopGradient } from './stop-gradient.ts';

const options = Type.Object(
  {
    alpha: Type.Number({
      default: 0.1,
      minimum: 0,
      maximum: 1,
      description: 'part of the last layer in what teaches inner ones; labels are the rest, and at 1 unread',
    }),
    hint: Type.Number({
      default: 0.1,
      minimum: 0,
      description: 'weight of the squared difference to the deepest features',
    }),
  },
  { additionalProperties: false },
);

/**
 * Within one network: each inner layer gets a classifier z_i of its own, taught by the student's logits z and the labels y,
 * and is drawn to the features f of the deepest layer. The mean over inner layers i of
 *   (1 - alpha) CE(y, z_i) + alpha KL(z, z_i) + hint mean (g_i - f)^2
 * with `cross-entropy` and `kl` (T^2 in it) as they are here. z and f only teach: no gradient goes through them. What
 * teaches z itself is another term. f and the inner layers are means over the positions of maps and sequences; z_i and g_i
 * are two linear maps of those, trained with the student and dropped at export. Published heads are convolutional
 * bottlenecks with one map for both.
 *
 * Published is the sum over layers: weight 1 for each ("published"), beside (1 - alpha) CE for z. The paper gives no numbers
 * for all networks; the defaults are those of the common reimplementation (T 3, alpha 0.1, 1e-6 times the sum over 128 rows
 * and 512 to 2048 channels, which is 0.07 to 0.26 here).
 */
export const selfDistillation: Loss<typeof options> = {
  name: 'self-distillation',
  summary: 'classifiers at inner layers of the student, taught by its last layer and the labels',
  citation:
    'Zhang et al., "Be Your Own Teacher: Improve the Performance of CNNs via Self Distillation", ICCV 2019, arXiv 1905.08094',
  formula: 'mean over i of ((1 - alpha) CE(y, z_i) + alpha KL(z, z_i) + hint mean (g_i - f)^2)',
  needs: ['layers', 'labels'],
  needsWith: ({ alpha }): readonly LossNeed[] => (alpha === 1 ? ['layers'] : ['layers', 'labels']),
  publishedWeight: () => 1,
  layers: {
    samples: [
      [
        [5, 2, 4, 3],
        [5, 3, 2, 2],
        [5, 6, 2, 2],
      ],
      [
        [5, 3, 4],
        [5, 7],
      ],
    ],
  },
  options,
  temperature: 3,
  build(context, { alpha, hint }) {
    const { b, layers, own, studentLogits } = context;
    invariant(layers && layers.length > 1, 'self-distillation needs an inner layer');
    const [, classes] = b.dims(studentLogits) as [number, number];
    const teacherLogits = stopGradient(b, studentLogits);
    const deepest = stopGradient(b, pooled(b, layers.at(-1)!));
    const [, width] = b.dims(deepest) as [number, number];
    const inner = layers.slice(0, -1).flatMap((layer, i) => {
      const features = pooled(b, layer);
      const head = {
        ...context,
        studentLogits: linearMap(b, features, classes, own, `${i}.head`),
        teacherLogits,
      };
      const map = (): string => linearMap(b, features, width, own, `${i}.hint`);
      return [
        ...part(1 - alpha, () => crossEntropy.build(head, {})),
        ...part(alpha, () => kl.build(head, { standardize: false })),
        ...part(hint, () => meanSquare(b, b.op('Sub', [map(), deepest]))),
      ].map(({ weight, value }) => b.op('Mul', [value, b.constant(weight)]));
    });
    const sum = inner.reduce((left, right) => b.op('Add', [left, right]));
    return b.op('Div', [sum, b.constant(layers.length - 1)]);
  },
  reference({ layers, own, ...numbers }, { alpha, hint }) {
    const features = layers!.map(pooledOf);
    const deepest = features.at(-1)!.flat();
    const inner = features.slice(0, -1).map((rows, i) => {
      const mapped = (name: string) => rows.map(linearMapOf(own!, `${i}.${name}`));
      const head = {
        ...numbers,
        studentLogits: mapped('head'),
        teacherLogits: numbers.studentLogits,
      };
      const parts = [
        ...part(1 - alpha, () => crossEntropy.reference(head, {})),
        ...part(alpha, () => kl.reference(head, { standardize: false })),
        ...part(hint, () =>
          meanSquareOf(
            mapped('hint').flatMap((row, r) => row.map((v, c) => v - deepest[r * row.length + c]!)),
          ),
        ),
      ];
      return parts.reduce((sum, { weight, value }) => sum + weight * value, 0);
    });
    return inner.reduce((sum, value) => sum + value, 0) / inner.length;
  },
};

/** A weighted part; nothing where it weighs nothing, so that no map is trained for it. */
const part = <T>(weight: number, make: () => T): { readonly weight: number; readonly value: T }[] =>
  weight === 0 ? [] : [{ weight, value: make() }];
