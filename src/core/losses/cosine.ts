import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { channelAxis, dot, positionsOf, sumOf, sumOver, unit, unitOf } from './feature-shapes.ts';
import type { Loss } from './loss.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Angles of hidden vectors: L = 1 / N * sum (1 - cos(f_s, f_t)), f the channels of one position, N the batch times the
 * positions (one for vectors [B, D]). Lengths are sqrt(|f|^2 + 1e-12): a vector of zeros has cosine 0 with all others.
 * On one vector per row it is half the squared distance of unit vectors (BERT-PKD, arXiv 1908.09355). DistilBERT
 * gives it a weight of 1.
 */
export const cosine: Loss<typeof options> = {
  name: 'cosine',
  summary: 'one minus the cosine of hidden vectors',
  citation: 'Sanh et al., "DistilBERT", 2019, arXiv 1910.01108, section 2',
  formula: '1 / N * sum (1 - cos(f_s, f_t))',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'shape',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [
      [{ student: [4, 6], teacher: [4, 6] }],
      [
        { student: [3, 4, 2, 2], teacher: [3, 4, 2, 2] },
        { student: [3, 2, 5], teacher: [3, 2, 5] },
      ],
    ],
  },
  options,
  build({ b, features }) {
    invariant(features, 'cosine needs features');
    return meanOver(b, features, ({ student, teacher }) => {
      const dims = b.dims(student);
      const axis = channelAxis(dims);
      const cosines = b.op('Mul', [unit(b, student, axis), unit(b, teacher, axis)]);
      const vectors = dims.reduce((product, dim, i) => (i === axis ? product : product * dim), 1);
      return b.op('Sub', [b.constant(1), sumOver(b, cosines, vectors)]);
    });
  },
  reference({ features }) {
    return averageOver(features!, ({ student, teacher }) => {
      const theirs = positionsOf(teacher).flat();
      const parts = positionsOf(student)
        .flat()
        .map((vector, i) => 1 - dot(unitOf(vector), unitOf(theirs[i]!)));
      return sumOf(parts) / parts.length;
    });
  },
};
