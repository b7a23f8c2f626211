import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { tensor } from '../onnx/tensor.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { channelAxis, positionsOf, sumOf } from './feature-shapes.ts';
import { linearMap, linearMapOf } from './linear-map.ts';
import type { Loss } from './loss.ts';

const options = Type.Object(
  {
    variance: Type.Number({
      exclusiveMinimum: 1e-5,
      default: 5,
      description: 'of every channel before training',
    }),
  },
  { additionalProperties: false },
);

/** Least variance. */
const LEAST = 1e-5;
const REGRESSOR = ['first', 'second', 'third'] as const;

/**
 * Variational information: the teacher's features are normal around what a regressor makes of the student's,
 * L = 1 / 2 * mean ((F_t - mu)^2 / s_c + ln s_c) over all elements, s_c = ln(1 + e^theta_c) + 1e-5 the variance of channel c.
 * mu is three linear maps of channels with ReLU between them. Regressor and theta are trained with the student; there are
 * copies of this loss about whose optimizer was never given theta, which leaves a scaled hint. The student is brought to
 * the teacher's positions first. L may be negative. Several pairs are averaged; others sum them, with
 * a weight of 1 for each.
 */
export const vid: Loss<typeof options> = {
  name: 'vid',
  summary: "negative log likelihood of the teacher's tensors, normal around the student's (VID)",
  citation:
    'Ahn et al., "Variational Information Distillation for Knowledge Transfer", CVPR 2019, arXiv 1904.05835',
  formula: '1 / 2 * mean ((F_t - mu(F_s))^2 / s_c + ln s_c), s_c = ln(1 + e^theta_c) + 1e-5',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'positions',
    ranks: [2, 3, 4],
    auto: 'every',
    samples: [
      [{ student: [4, 3, 2, 3], teacher: [4, 4, 2, 3] }],
      [
        { student: [4, 3], teacher: [4, 3] },
        { student: [4, 2, 3], teacher: [4, 2, 5] },
      ],
    ],
  },
  options,
  build({ b, features, own }, { variance }) {
    invariant(features, 'vid needs features');
    return meanOver(b, features, ({ student, teacher }, pair) => {
      const dims = b.dims(teacher);
      const axis = channelAxis(dims);
      const channels = dims[axis]!;
      const mean = REGRESSOR.reduce((x, layer, i) => {
        const input = i === 0 ? x : b.op('Relu', [x]);
        return linearMap(b, input, channels, own, `${pair}.${layer}`);
      }, student);
      const start = Math.log(Math.expm1(variance - LEAST));
      const shape = dims.slice(axis).map((_, i) => (i === 0 ? channels : 1));
      const theta = own.parameter(
        `${pair}.theta`,
        tensor('float32', shape, new Array<number>(channels).fill(start)),
      );
      const spread = b.op('Add', [b.op('Softplus', [theta]), b.constant(LEAST)]);
      const error = b.op('Sub', [teacher, mean]);
      const scaled = b.op('Div', [b.op('Mul', [error, error]), spread]);
      const likelihood = b.op('ReduceMean', [b.op('Add', [scaled, b.op('Log', [spread])])], { keepdims: 0 });
      return b.op('Mul', [likelihood, b.constant(0.5)]);
    });
  },
  reference({ features, own }) {
    return averageOver(features!, ({ student, teacher }, pair) => {
      const layers = REGRESSOR.map((layer) => linearMapOf(own!, `${pair}.${layer}`));
      const spread = own![`${pair}.theta`]!.data.map((theta) => Math.log1p(Math.exp(theta)) + LEAST);
      const means = positionsOf(student)
        .flat()
        .map((at) =>
          layers.reduce<number[]>((x, layer, i) => layer(i === 0 ? x : x.map((v) => Math.max(0, v))), at),
        );
      const each = positionsOf(teacher)
        .flat()
        .flatMap((at, p) => at.map((t, c) => (t - means[p]![c]!) ** 2 / spread[c]! + Math.log(spread[c]!)));
      return sumOf(each) / each.length / 2;
    });
  },
};
