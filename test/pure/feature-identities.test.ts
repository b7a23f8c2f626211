import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NumberArray, NumberPair } from '../../src/core/losses/features.ts';
import { losses } from '../../src/core/losses/index.ts';
import { lnMeanOnSphere } from '../../src/core/losses/ln-mean-on-sphere.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { Random } from '../../src/core/random.ts';

/** What the literature says of losses on hidden tensors, on their references; the conformance suite ties graphs to these. */

type Own = Readonly<Record<string, NumberArray>>;

const array = (dims: readonly number[], stream: string): NumberArray => {
  const random = new Random(21, stream);
  return { dims, data: Array.from({ length: dims.reduce((x, y) => x * y, 1) }, () => random.normal()) };
};
const mapped = ({ dims, data }: NumberArray, of: (value: number, at: number) => number): NumberArray => ({
  dims,
  data: data.map(of),
});

function value(
  name: keyof typeof losses,
  features: NumberPair | readonly NumberPair[],
  {
    options = {},
    own = {},
    temperature,
    labels = [],
  }: { options?: object; own?: Own; temperature?: number; labels?: number[][] } = {},
): number {
  const loss: Loss = losses[name];
  const none = { studentLogits: [], teacherLogits: [], labels };
  return loss.reference(
    { ...none, features: [features].flat(), own, temperature: temperature ?? loss.temperature ?? 1 },
    resolveOptions(loss.options, { ...options }, name),
  );
}

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1e-3, Math.abs(expected)),
    `${actual} against ${expected}`,
  );
}

const mean = (values: readonly number[]): number => values.reduce((x, y) => x + y, 0) / values.length;
const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((s, v, i) => s + v * y[i]!, 0);
const maps = { student: array([3, 4, 2, 3], 's'), teacher: array([3, 4, 2, 3], 't') };
const vectors = { student: array([6, 2], 's'), teacher: array([6, 2], 't') };
const rows = ({ dims, data }: NumberArray): number[][] => {
  const size = data.length / dims[0]!;
  return Array.from({ length: dims[0]! }, (_, i) => data.slice(i * size, (i + 1) * size));
};
/** All channels of all rows: [B][C][positions]. */
const channels = (x: NumberArray): number[][][] =>
  rows(x).map((row) => rows({ dims: [x.dims[1]!], data: row }));
/** Vectors of two numbers turned by an angle. */
const turned = (x: NumberArray): NumberArray =>
  mapped(x, (v, i) => (i % 2 === 0 ? 0.6 * v - 0.8 * x.data[i + 1]! : 0.8 * x.data[i - 1]! + 0.6 * v));

test('pkd is 1 - r, Pearson’s correlation of each channel over batch and positions', () => {
  const correlation = (x: number[], y: number[]): number => {
    const [a, b] = [x.map((v) => v - mean(x)), y.map((v) => v - mean(y))];
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const channel = (x: NumberArray, c: number): number[] => channels(x).flatMap((row) => row[c]!);
  const r = [0, 1, 2, 3].map((c) => correlation(channel(maps.student, c), channel(maps.teacher, c)));
  near(value('pkd', maps), 1 - mean(r));
  const scaled = mapped(maps.teacher, (v) => 7 * v - 3);
  near(value('pkd', { student: scaled, teacher: maps.teacher }), 0, 1e-6);
  near(value('pkd', { student: mapped(scaled, (v) => -v), teacher: maps.teacher }), 2);
});

test('nst is the squared distance of the Gram matrices of channel directions, so never negative', () => {
  const gram = (x: NumberArray): number[][][] =>
    channels(x).map((row) => {
      const units = row.map((channel) => channel.map((v) => v / Math.sqrt(dot(channel, channel))));
      return units[0]!.map((_, i) => units[0]!.map((_, j) => mean(units.map((u) => u[i]! * u[j]!))));
    });
  const [ours, theirs] = [gram(maps.student), gram(maps.teacher)];
  const distance = ours.map((g, b) => {
    const difference = g.flatMap((row, i) => row.map((v, j) => v - theirs[b]![i]![j]!));
    return dot(difference, difference);
  });
  near(value('nst', maps), mean(distance));
  near(value('nst', { student: mapped(maps.teacher, (v) => 3 * v), teacher: maps.teacher }), 0, 1e-9);
});

test('attention-transfer sees only where the energy is: not the sign, not the scale of a row', () => {
  const loud = mapped(maps.teacher, (v, i) => -v * (1 + Math.floor(i / 24)));
  for (const definition of ['repository', 'paper']) {
    near(
      value('attention-transfer', { student: loud, teacher: maps.teacher }, { options: { definition } }),
      0,
      2e-3,
    );
  }
  // Of one pixel: both maps are 1 there and 0 elsewhere or the other way round.
  const spot = (at: number): NumberArray => ({ dims: [1, 1, 1, 2], data: [1 - at, at] });
  const apart = { student: spot(0), teacher: spot(1) };
  near(value('attention-transfer', apart, { options: { definition: 'repository' } }), 1);
  near(value('attention-transfer', apart, { options: { definition: 'paper' } }), Math.SQRT2);
});

test('relations between rows see neither rotation nor scale; distances and angles not even a shift', () => {
  const like = mapped(turned(vectors.teacher), (v) => 4 * v);
  for (const name of ['similarity-preserving', 'pkt', 'relational'] as const) {
    near(value(name, { student: like, teacher: vectors.teacher }), 0, 1e-6);
    assert.ok(value(name, vectors) > 1e-3, name);
  }
  const shifted = { student: mapped(like, (v) => v + 9), teacher: vectors.teacher };
  near(value('relational', shifted), 0, 1e-6);
  assert.ok(value('similarity-preserving', shifted) > 1e-3);
});

test('cwd does not see a shift of a channel, and for large T is half the squared distance of centred channels, over C', () => {
  const shifted = mapped(maps.student, (v, i) => v + 5 * (Math.floor(i / 6) % 4));
  near(value('cwd', { ...maps, student: shifted }), value('cwd', maps), 1e-9);
  const centred = (x: NumberArray): number[] =>
    channels(x)
      .flat()
      .flatMap((channel) => channel.map((v) => v - mean(channel)));
  const [ours, theirs] = [centred(maps.student), centred(maps.teacher)];
  const squares = ours.map((v, i) => (v - theirs[i]!) ** 2);
  // Six positions; the mean over channels of sum / (2 * 6).
  near(value('cwd', maps, { temperature: 1e4 }), mean(squares) / 2, 1e-3);
});

test('hidden-state and embedding are fitnet on sequences; cosine is half the squared distance of directions', () => {
  const pair = { student: array([3, 4, 2], 's'), teacher: array([3, 4, 2], 't') };
  near(value('hidden-state', pair), value('fitnet', pair));
  near(value('embedding', pair), value('fitnet', pair));
  near(
    value('hidden-state', [pair, { student: pair.teacher, teacher: pair.teacher }]),
    value('fitnet', pair) / 2,
  );
  const unit = (x: NumberArray): number[] =>
    rows(x).flatMap((row) => row.map((v) => v / Math.sqrt(dot(row, row))));
  const [ours, theirs] = [unit(vectors.student), unit(vectors.teacher)];
  near(value('cosine', vectors), mean(ours.map((v, i) => (v - theirs[i]!) ** 2)), 1e-6);
});

test('attention-map takes masked scores for equal, however far below -100 they are', () => {
  const scores = array([2, 2, 3, 3], 's');
  const masked = (by: number) => mapped(scores, (v, i) => (i % 3 === 2 ? by : v));
  near(value('attention-map', { student: masked(-1e4), teacher: masked(-3.4e38) }), 0);
  assert.ok(value('attention-map', { student: masked(-99), teacher: masked(-50) }) > 1);
});

test('minilm-relations see neither a rotation within the heads nor what more numbers of 0 would add', () => {
  const teacher = array([2, 3, 4], 't');
  const options = { heads: 2 };
  near(value('minilm-relations', { student: turned(teacher), teacher }, { options }), 0, 1e-9);
  assert.ok(value('minilm-relations', { student: array([2, 3, 4], 's'), teacher }, { options }) > 1e-3);
  // Twice as wide, filled with 0: products are the same, the root of the width is not.
  const wide = { dims: [2, 3, 4], data: rows({ dims: [6], data: teacher.data }).flat() };
  const filled = {
    dims: [2, 3, 8],
    data: rows({ dims: [6], data: wide.data }).flatMap((row) => [
      ...row.map((v) => v * 2 ** 0.25),
      0,
      0,
      0,
      0,
    ]),
  };
  near(value('minilm-relations', { student: filled, teacher }, { options: { heads: 1 } }), 0, 1e-9);
});

/** Linear map that changes nothing. */
const identity = (size: number): NumberArray => ({
  dims: [size, size],
  data: Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0)),
});
const zeros = (size: number): NumberArray => ({ dims: [size], data: new Array<number>(size).fill(0) });

test('vid with a variance of 1 is half a hint; its best variance is the mean squared error of the channel', () => {
  const pair = { student: mapped(vectors.student, Math.abs), teacher: vectors.teacher };
  const regressor = Object.fromEntries(
    ['first', 'second', 'third'].flatMap((layer) => [
      [`0.${layer}.weight`, identity(2)],
      [`0.${layer}.bias`, zeros(2)],
    ]),
  );
  const theta = (variances: readonly number[]): Own => ({
    ...regressor,
    '0.theta': { dims: [2], data: variances.map((s) => Math.log(Math.expm1(s - 1e-5))) },
  });
  near(value('vid', pair, { own: theta([1, 1]) }), value('fitnet', pair) / 2);
  const errors = [0, 1].map((c) =>
    mean(rows(pair.student).map((row, i) => (row[c]! - rows(pair.teacher)[i]![c]!) ** 2)),
  );
  const best = value('vid', pair, { own: theta(errors) });
  near(best, (1 + mean(errors.map(Math.log))) / 2);
  for (const factor of [0.9, 1.1]) {
    assert.ok(value('vid', pair, { own: theta([errors[0]! * factor, errors[1]!]) }) > best);
  }
});

test('review of one stage that passes on nothing is a hint on four grids', () => {
  // With the same difference everywhere all grids see the same error.
  const own: Own = {
    '0.in.weight': { dims: [1, 1, 1, 1], data: [1] },
    '0.in.bias': zeros(1),
    '0.in.scale': { dims: [1, 1, 1], data: [1] },
    '0.in.shift': { dims: [1, 1, 1], data: [0] },
    '0.out.weight': { dims: [1, 1, 3, 3], data: new Array<number>(9).fill(0) },
    '0.out.bias': zeros(1),
    '0.out.scale': { dims: [1, 1, 1], data: [1] },
    '0.out.shift': { dims: [1, 1, 1], data: [2] },
  };
  const pair = { student: array([2, 1, 8, 8], 's'), teacher: mapped(array([2, 1, 8, 8], 't'), () => 5) };
  near(value('review', pair, { own }), 9);
  // Of a difference that averages out only the finest grid sees something: 1 / (1 + 1/2 + 1/4 + 1/8).
  const checks = mapped(pair.teacher, (_, i) => 2 + (-1) ** (i + Math.floor(i / 8)));
  near(value('review', { ...pair, teacher: checks }, { own }), 8 / 15);
});

test('mgd with nothing masked and a generator that hands through is a hint', () => {
  const through = (size: number): NumberArray => ({
    dims: [size, size, 3, 3],
    data: Array.from({ length: size * size * 9 }, (_, i) =>
      Number(i % 9 === 4 && Math.floor(i / 9) % (size + 1) === 0),
    ),
  });
  const pair = { student: mapped(maps.student, Math.abs), teacher: maps.teacher };
  const own: Own = {
    '0.first.weight': through(4),
    '0.first.bias': zeros(4),
    '0.second.weight': through(4),
    '0.second.bias': zeros(4),
    '0.mask': mapped(array([3, 1, 2, 3], 'mask'), (_, i) => (i % 2) / 2),
  };
  near(value('mgd', pair, { own, options: { ratio: 0 } }), value('fitnet', pair));
  const halved = mapped(pair.student, (v, i) => ((i % 6) % 2 === 0 ? 0 : v));
  near(value('mgd', pair, { own, options: { ratio: 0.5 } }), value('fitnet', { ...pair, student: halved }));
});

test('relational: two rows that the student makes nearly the same do not drown the others', () => {
  const [student, teacher] = [array([8, 3], 'student'), array([8, 3], 'teacher')];
  const close = mapped(student, (v, i) => (i >= 3 && i < 6 ? student.data[i - 3]! + 1e-6 * i : v));
  const slopes = close.data.map((_, at) => {
    const by = (step: number) =>
      value('relational', { student: mapped(close, (v, i) => (i === at ? v + step : v)), teacher });
    return Math.abs(by(1e-7) - by(-1e-7)) / 2e-7;
  });
  const [twins, others] = [Math.max(...slopes.slice(0, 6)), Math.max(...slopes.slice(6))];
  assert.ok(twins < 100 * others, `${twins} against ${others}`);
});

test('crd falls as rows agree and others differ; a critic that is at a loss pays ln 2 for each', () => {
  const options = { dimensions: 2, negatives: 3, sharpness: 0.5, among: 'any-rows' };
  const same = { dims: [2, 2], data: [1, 0, 0, 1] };
  const bank = (data: readonly number[]): NumberArray => ({ dims: [3, 2], data });
  const own = (others: readonly number[]): Own => ({
    '0.student.weight': identity(2),
    '0.student.bias': zeros(2),
    '0.teacher.weight': identity(2),
    '0.teacher.bias': zeros(2),
    '0.teacher-bank': bank(others),
    '0.student-bank': bank(others),
  });
  const opposite = [-1, 0, 0, -1, -Math.SQRT1_2, -Math.SQRT1_2];
  const agree = value('crd', { student: same, teacher: same }, { own: own(opposite), options });
  const swapped = { dims: [2, 2], data: [0, 1, 1, 0] };
  assert.ok(agree < value('crd', { student: swapped, teacher: same }, { own: own(opposite), options }));
  assert.ok(
    agree < value('crd', { student: same, teacher: same }, { own: own(opposite.map(Math.abs)), options }),
  );
  // Negatives of other classes alone: of three, one of the row's class, one of another, one without a label.
  const labels = [
    [1, 0],
    [1, 0],
  ];
  const among = (rows: readonly number[]) => ({ '0.labels': { dims: [3, 2], data: rows } });
  const exact = (rows: readonly number[]) =>
    value(
      'crd',
      { student: same, teacher: same },
      {
        own: { ...own(opposite), ...among(rows) },
        options: { ...options, among: 'other-classes' },
        labels,
      },
    );
  near(exact([0, 1, 0, 1, 0, 0]), agree);
  const alone = exact([1, 0, 1, 0, 1, 0]);
  near(exact([1, 0, 0, 1, 0, 0]) - alone + exact([0, 1, 1, 0, 1, 0]) - alone, agree - alone);
  // Labels that are shared by half count by half.
  near(exact([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]), (agree + alone) / 2);
  // Cosine / tau = ln(K z): tau so large that both are about ln 1 with one negative.
  const blind = { dimensions: 2, negatives: 1, sharpness: 1e6, among: 'any-rows' };
  const one = { ...own(opposite), '0.teacher-bank': { dims: [1, 2], data: [1, 0] } };
  const both = { ...one, '0.student-bank': { dims: [1, 2], data: [0, 1] } };
  near(value('crd', { student: same, teacher: same }, { own: both, options: blind }), 4 * Math.LN2, 1e-5);
});

test('the normaliser of crd is the mean over the sphere', () => {
  // In three dimensions it has a closed form; in many a normal distribution's.
  for (const kappa of [0.5, 2, 20]) near(lnMeanOnSphere(3, kappa), Math.log(Math.sinh(kappa) / kappa), 1e-12);
  near(lnMeanOnSphere(3, 5000), 5000 - Math.log(2 * 5000), 1e-12);
  near(lnMeanOnSphere(100_000, 3), 9 / 200_000, 1e-3);
  // On the circle, an integral.
  const turns = Array.from({ length: 1000 }, (_, i) => Math.exp(2 * Math.cos((2 * Math.PI * i) / 1000)));
  near(lnMeanOnSphere(2, 2), Math.log(turns.reduce((sum, each) => sum + each) / 1000), 1e-12);
});
