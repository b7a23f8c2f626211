import Type from 'typebox';
import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { type Tensor, tensor, typedData } from '../onnx/tensor.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, pooled, pooledOf, rowsOf, sumOf, sumOver, unit, unitOf } from './feature-shapes.ts';
import type { NumberArray, ObjectiveParts } from './features.ts';
import { linearMap, linearMapOf } from './linear-map.ts';
import { lnMeanOnSphere } from './ln-mean-on-sphere.ts';
import type { Loss } from './loss.ts';
import { batchSum } from './means.ts';

const options = Type.Object(
  {
    dimensions: Type.Integer({ minimum: 2, default: 128, description: 'D: length of an embedding' }),
    negatives: Type.Integer({
      minimum: 1,
      default: 1024,
      description: 'K: embeddings in each bank',
    }),
    among: Type.Union([Type.Literal('other-classes'), Type.Literal('any-rows')], {
      default: 'other-classes',
      description: 'which of them are negatives: those of other labels, or all',
    }),
    sharpness: Type.Number({
      minimum: 0.001,
      default: 0.07,
      description: 'tau, by which cosines are divided',
    }),
  },
  { additionalProperties: false },
);

/**
 * Contrastive: u = g_s(f_s) and v = g_t(f_t) are embeddings of length 1 (linear maps to D numbers, trained with the student);
 * a critic tells the embedding of the same row from K others, h(x) = 1 / (1 + e^-x), x = <u, v> / tau - ln(K z):
 *   L = 1 / B * sum_b (-ln h(x+) - sum_k w_bk ln(1 - h(x_k-))), student against the teacher's bank plus teacher against the student's.
 * w_bk = 1 - <y_b, y_k> is the chance that two rows so labelled are of different classes, 0 or 1 for plain labels: the published
 * "exact" negatives. It is 1 where one of them has no label, and everywhere for `any-rows` ("relax").
 * That is the published h = e^(<u, v> / tau) / Z with Z = N z and noise 1 / N: N cancels. Z is measured there on the first batch
 * against a bank of random vectors; here z is the mean of e^(<u, v> / tau) over the sphere itself (see `lnMeanOnSphere`).
 * The banks are the published ones but for this: theirs hold a moving average per training row and K are drawn by its index;
 * ours are queues of the last K embeddings (as MoCo's, arXiv 1911.05722), state of the Program, and the positive is the other
 * side's embedding of this very step. So no index is needed and augmented views are told apart, but with `any-rows` a row may
 * be its own negative: with K half of the training rows one in seven is, of which the report warns from there on. Published with
 * K = 16384. Maps and sequences are averaged over positions. A bank starts with random vectors. Published weight 0.8.
 */
export const crd: Loss<typeof options> = {
  name: 'crd',
  summary: 'tells the embedding of the same row from those of many others (CRD)',
  citation: 'Tian, Krishnan, Isola, "Contrastive Representation Distillation", ICLR 2020, arXiv 1910.10699',
  formula: '1 / B * sum (softplus(-x+) + sum_k w_k softplus(x_k-)), both ways; x = <u, v> / tau - ln(K z)',
  needs: ['features', 'labels'],
  needsWith: ({ among }) => (among === 'any-rows' ? ['features'] : ['features', 'labels']),
  warnsOf: ({ negatives, among }, rows) =>
    among === 'any-rows' && rows < 2 * negatives
      ? `"crd" keeps ${negatives} embeddings of ${rows} training rows: many rows are their own negatives; give it "negatives" of ${Math.max(1, Math.floor(rows / 2))} at most`
      : undefined,
  publishedWeight: () => 0.8,
  features: {
    align: 'none',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [
      [
        { student: [5, 3], teacher: [5, 4] },
        { student: [5, 3, 2, 2], teacher: [5, 2, 3] },
      ],
    ],
    trial: { dimensions: 6, negatives: 8, sharpness: 0.5 },
  },
  options,
  build({ b, features, labels, own }, { dimensions, negatives, sharpness, among }) {
    invariant(features && (labels || among === 'any-rows'), 'crd needs features and labels');
    refuseLargeBank(negatives, dimensions);
    const embedding = (x: string, name: string): string =>
      unit(b, linearMap(b, pooled(b, x), dimensions, own, name), 1);
    const shift = shiftOf(dimensions, negatives, sharpness);
    /** Softplus of +-x, x = cosine / tau - ln(K z). */
    const penalties = (cosines: string, sign: 1 | -1): string => {
      const x = b.op('Sub', [b.op('Div', [cosines, b.constant(sharpness)]), b.constant(shift)]);
      return b.op('Softplus', [sign === 1 ? x : b.op('Neg', [x])]);
    };
    return meanOver(b, features, ({ student, teacher }, pair) => {
      const [ours, theirs] = [embedding(student, `${pair}.student`), embedding(teacher, `${pair}.teacher`)];
      const together = b.op('ReduceSum', [b.op('Mul', [ours, theirs]), b.ints([1])]);
      const weights =
        among === 'any-rows' ? undefined : otherClasses(b, labels!, own, `${pair}.labels`, negatives);
      const against = (anchor: string, others: string, name: string): string => {
        const start = randomUnits(own, `${pair}.${name}`, [negatives, dimensions]);
        const bank = queue(b, others, own, `${pair}.${name}`, start);
        const each = penalties(b.op('MatMul', [anchor, transposed(b, bank)]), 1);
        return batchSum(b, weights ? b.op('Mul', [weights, each]) : each);
      };
      const apart = b.op('Add', [
        against(ours, theirs, 'teacher-bank'),
        against(theirs, ours, 'student-bank'),
      ]);
      // Of the same row the cosine is one, whichever side is the anchor.
      const near = b.op('Mul', [batchSum(b, penalties(together, -1)), b.constant(2)]);
      return sumOver(b, b.op('Add', [near, apart]), b.dims(ours)[0]!);
    });
  },
  reference({ features, labels, own }, { dimensions, negatives, sharpness, among }) {
    const shift = shiftOf(dimensions, negatives, sharpness);
    const critic = (u: readonly number[], v: readonly number[]): number =>
      1 / (1 + Math.exp(shift - dot(u, v) / sharpness));
    return averageOver(features!, ({ student, teacher }, pair) => {
      const embeddings = (array: NumberArray, name: string): number[][] => {
        const map = linearMapOf(own!, `${pair}.${name}`);
        return pooledOf(array).map((row) => unitOf(map(row)));
      };
      const [ours, theirs] = [embeddings(student, 'student'), embeddings(teacher, 'teacher')];
      const banks = ['teacher-bank', 'student-bank'].map((name) => rowsOf(own![`${pair}.${name}`]!));
      const kept = among === 'any-rows' ? undefined : rowsOf(own![`${pair}.labels`]!);
      const rows = ours.map((u, i) => {
        const v = theirs[i]!;
        return sumOf(
          [u, v].map((anchor, side) => {
            const apart = banks[side]!.map((other, k) => {
              const weight = kept ? 1 - dot(labels[i]!, kept[k]!) : 1;
              return weight * Math.log(1 - critic(anchor, other));
            });
            return -Math.log(critic(u, v)) - sumOf(apart);
          }),
        );
      });
      return sumOf(rows) / rows.length;
    });
  },
};

/** Numbers in a bank: 256 MB of float32, 32 times the published one. */
const MOST_IN_BANK = 2 ** 26;

function refuseLargeBank(negatives: number, dimensions: number): void {
  if (negatives * dimensions <= MOST_IN_BANK) return;
  throw new RetortError(
    'SPEC_INVALID',
    `/objective/terms: "crd" would keep banks of ${negatives} embeddings of ${dimensions} numbers, more than ${MOST_IN_BANK} numbers`,
    { hint: 'Give it fewer "negatives" or "dimensions".' },
  );
}

/** ln(K z). */
const shiftOf = (dimensions: number, negatives: number, sharpness: number): number =>
  Math.log(negatives) + lnMeanOnSphere(dimensions, 1 / sharpness);

/** Labels of the rows in the banks, [K, C], and by how much each is a negative of each row of the batch, [B, K]. */
function otherClasses(
  b: GraphBuilder,
  labels: string,
  own: ObjectiveParts,
  name: string,
  count: number,
): string {
  const classes = b.dims(labels)[1] as number;
  // Random vectors are of no class.
  const none = tensor('float32', [count, classes], new Float32Array(count * classes));
  const kept = queue(b, labels, own, name, none);
  return b.op('Sub', [b.constant(1), b.op('MatMul', [labels, transposed(b, kept)])]);
}

/** The last K rows of earlier steps, [K, n]; behind this step those of `fresh` come first and the oldest fall out. */
const queue = (b: GraphBuilder, fresh: string, own: ObjectiveParts, name: string, initial: Tensor): string =>
  own.state(name, initial, (bank) => {
    const all = b.op('Concat', [fresh, bank], { axis: 0 });
    return b.op('Slice', [all, b.ints([0]), b.ints([initial.dims[0]!]), b.ints([0])]);
  });

/** Vectors of length 1 in random directions, [K, D]. */
function randomUnits(own: ObjectiveParts, name: string, dims: readonly [number, number]): Tensor {
  const data = Float32Array.from(typedData(own.normal(name, dims, 1)) as Float32Array);
  for (let at = 0; at < data.length; at += dims[1]) {
    const row = data.subarray(at, at + dims[1]);
    row.set(unitOf(Array.from(row)));
  }
  return tensor('float32', dims, data);
}

const transposed = (b: GraphBuilder, x: string): string => b.op('Transpose', [x], { perm: [1, 0] });
