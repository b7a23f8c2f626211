import Type from 'typebox';
import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { numbers, tensor } from '../onnx/tensor.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, pooled, pooledOf, rowsOf, sumOf, sumOver, unit, unitOf } from './feature-shapes.ts';
import type { NumberArray, ObjectiveParts } from './features.ts';
import { linearMap, linearMapOf } from './linear-map.ts';
import type { Loss } from './loss.ts';

const options = Type.Object(
  {
    dimensions: Type.Integer({ minimum: 2, default: 128, description: 'D: length of an embedding' }),
    negatives: Type.Integer({
      minimum: 1,
      default: 1024,
      description: 'K: embeddings in each bank; less than the training rows',
    }),
    sharpness: Type.Number({
      exclusiveMinimum: 0,
      default: 0.07,
      description: 'tau, by which cosines are divided',
    }),
  },
  { additionalProperties: false },
);

/**
 * Contrastive: u = g_s(f_s) and v = g_t(f_t) are embeddings of length 1 (linear maps to D numbers, trained with the student);
 * a critic tells the embedding of the same row from K others, h(x) = 1 / (1 + e^-x), x = <u, v> / tau - ln(K z):
 *   L = 1 / B * sum_b (-ln h(x+) - sum_k ln(1 - h(x_k-))), student against the teacher's bank plus teacher against the student's.
 * That is the published h = e^(<u, v> / tau) / Z with Z = N z and noise 1 / N: N cancels. Z is measured there on the first batch
 * against a bank of random vectors, where z is e^(1 / (2 D tau^2)); it is that number here.
 * The banks are the published ones but for this: theirs hold a moving average per training row and K are drawn by its index;
 * ours are queues of the last K embeddings (as MoCo's, arXiv 1911.05722), state of the Program, all of them negatives, and the
 * positive is the other side's embedding of this very step. So no index is needed and augmented views are told apart; with
 * K beyond the training rows a row would be its own negative. Published with K = 16384. Maps and sequences are averaged over
 * positions. A bank starts with random vectors. Published weight 0.8.
 */
export const crd: Loss<typeof options> = {
  name: 'crd',
  summary: 'tells the embedding of the same row from those of many others (CRD)',
  citation: 'Tian, Krishnan, Isola, "Contrastive Representation Distillation", ICLR 2020, arXiv 1910.10699',
  formula: '1 / B * sum (softplus(-x+) + sum_k softplus(x_k-)), both ways; x = <u, v> / tau - ln(K z)',
  needs: ['features'],
  publishedWeight: 0.8,
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
  build({ b, features, own }, { dimensions, negatives, sharpness }) {
    invariant(features, 'crd needs features');
    refuseLargeBank(negatives, dimensions);
    const embedding = (x: string, name: string): string =>
      unit(b, linearMap(b, pooled(b, x), dimensions, own, name), 1);
    const shift = shiftOf(dimensions, negatives, sharpness);
    /** Softplus of +-x, x = cosine / tau - ln(K z), summed over everything. */
    const penalty = (cosines: string, sign: 1 | -1): string => {
      const x = b.op('Sub', [b.op('Div', [cosines, b.constant(sharpness)]), b.constant(shift)]);
      const signed = sign === 1 ? x : b.op('Neg', [x]);
      return b.op('ReduceSum', [b.op('Softplus', [signed])], { keepdims: 0 });
    };
    return meanOver(b, features, ({ student, teacher }, pair) => {
      const [ours, theirs] = [embedding(student, `${pair}.student`), embedding(teacher, `${pair}.teacher`)];
      const together = b.op('ReduceSum', [b.op('Mul', [ours, theirs]), b.ints([1])]);
      const against = (anchor: string, others: string, name: string): string => {
        const bank = queue(b, others, own, `${pair}.${name}`, [negatives, dimensions]);
        return penalty(b.op('MatMul', [anchor, b.op('Transpose', [bank], { perm: [1, 0] })]), 1);
      };
      const apart = b.op('Add', [
        against(ours, theirs, 'teacher-bank'),
        against(theirs, ours, 'student-bank'),
      ]);
      // Of the same row the cosine is one, whichever side is the anchor.
      const near = b.op('Mul', [penalty(together, -1), b.constant(2)]);
      return sumOver(b, b.op('Add', [near, apart]), b.dims(ours)[0]!);
    });
  },
  reference({ features, own }, { dimensions, negatives, sharpness }) {
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
      const rows = ours.map((u, i) => {
        const v = theirs[i]!;
        return sumOf(
          [u, v].map((anchor, side) => {
            const apart = banks[side]!.map((other) => Math.log(1 - critic(anchor, other)));
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
    { hint: 'Give it fewer "negatives" (less than the training rows) or "dimensions".' },
  );
}

/** ln(K z). */
const shiftOf = (dimensions: number, negatives: number, sharpness: number): number =>
  Math.log(negatives) + 1 / (2 * dimensions * sharpness ** 2);

/** The last K rows of earlier steps, [K, D]; behind this step those of `fresh` come first and the oldest fall out. */
function queue(
  b: GraphBuilder,
  fresh: string,
  own: ObjectiveParts,
  name: string,
  dims: readonly [number, number],
): string {
  const [count, length] = dims;
  const drawn = own.normal(name, dims, 1);
  const rows = rowsOf({ dims, data: numbers(drawn) });
  const initial = tensor('float32', [count, length], rows.flatMap(unitOf));
  return own.state(name, initial, (bank) =>
    b.op('Slice', [b.op('Concat', [fresh, bank], { axis: 0 }), b.ints([0]), b.ints([count]), b.ints([0])]),
  );
}
