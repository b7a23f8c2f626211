import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapScores, onKnownClasses } from '../../src/core/ensemble/class-map.ts';
import { type CombineRequest, combineScores } from '../../src/core/ensemble/combine-scores.ts';
import { completeScores } from '../../src/core/ensemble/complete-scores.ts';
import { fitWeights } from '../../src/core/ensemble/fit-weights.ts';
import { minimizeOnSimplex } from '../../src/core/ensemble/minimize-on-simplex.ts';
import { onKnownRows } from '../../src/core/ensemble/on-known-rows.ts';
import { rowWeights } from '../../src/core/ensemble/row-weights.ts';
import { logProbabilities, probabilities } from '../../src/core/metrics/rows.ts';
import { Random } from '../../src/core/random.ts';

/** How what several teachers say becomes one: classes, weights, means. */

const near = (actual: Iterable<number>, expected: readonly number[], by = 1e-6): void => {
  const list = [...actual];
  assert.equal(list.length, expected.length);
  for (const [i, value] of list.entries())
    assert.ok(Math.abs(value - expected[i]!) <= by, `${i}: ${value}, not ${expected[i]}`);
};
const logs = (...p: number[]): Float32Array => Float32Array.from(p, Math.log);
const opinions = (...rows: number[][]): Float64Array[] => rows.map((p) => Float64Array.from(p, Math.log));
const request = (more: Partial<CombineRequest>): CombineRequest => ({
  combine: 'probabilities',
  temperature: 1,
  weighting: { by: 'fixed' },
  weights: [0.5, 0.5],
  given: [0.5, 0.5],
  classes: 3,
  ...more,
});
const drawn = (count: number, stream: string, scale = 3): Float32Array => {
  const random = new Random(1, stream);
  return Float32Array.from({ length: count }, () => scale * random.normal());
};

test('a permutation renames scores; several outputs of one class count together; outputs of none fall out', () => {
  const own = logs(0.1, 0.2, 0.3, 0.4);
  near(mapScores(own, 4, [[2], [0], [3], [1]]), [...logs(0.3, 0.1, 0.4, 0.2)]);
  const mapped = mapScores(own, 4, [[0, 1], [], [3]]);
  assert.equal(mapped[1], Number.NEGATIVE_INFINITY);
  near(probabilities(mapped, 3, 0), [0.3 / 0.7, 0, 0.4 / 0.7]);
  near(mapScores(Float32Array.of(1e4, 1e4, -1e4), 3, [[0, 1], [2]]), [1e4 + Math.log(2), -1e4], 1e-2);
});

test('among the classes it knows a teacher is judged by itself; labels of others fall out', () => {
  const mapped = mapScores(logs(0.4, 0.6, 0.9, 0.1), 2, [[1], [], [0]]);
  const { classes, logits, labels } = onKnownClasses(mapped, Int32Array.of(2, 1), [[1], [], [0]]);
  assert.equal(classes, 2);
  near(logits, [...logs(0.6, 0.4, 0.1, 0.9)]);
  assert.deepEqual([...labels], [1, -1]);
});

test('it is compared on the rows of these classes, by their label or by what the others say where there is none', () => {
  const whole = logs(...[0.5, 0.3, 0.2], ...[0.1, 0.8, 0.1], ...[0.2, 0.1, 0.7], ...[0.2, 0.6, 0.2]);
  const own = logs(...[0.6, 0.1, 0.3], ...[0.5, 0.1, 0.4], ...[0.3, 0.1, 0.6], ...[0.1, 0.1, 0.8]);
  const labels = Int32Array.of(0, -1, -1, 2);
  const seen = onKnownRows({ classes: 3, logits: own, labels, teacherLogits: whole }, [0, 2]);
  assert.equal(seen.classes, 2);
  assert.deepEqual([...seen.labels], [0, -1, 1]);
  near(seen.logits, [...logs(0.6, 0.3, 0.3, 0.6, 0.1, 0.8)]);
  near(seen.teacherLogits, [...logs(0.5, 0.2, 0.2, 0.7, 0.2, 0.2)]);
});

test('a teacher shares out among its classes what those that know all classes give to them', () => {
  const whole = logs(0.2, 0.2, 0.6);
  const other = logs(0.1, 0.5, 0.4);
  const partial = mapScores(logs(0.9, 0.1), 2, [[0], [1], []]);
  const scores = completeScores(
    [whole, other, partial],
    [undefined, undefined, [[0], [1], []]],
    [1, 1, 5],
    3,
  );
  assert.equal(scores[0], whole);
  assert.equal(scores[1], other);
  // r = (0.15, 0.35, 0.5).
  near(probabilities(scores[2]!, 3, 0), [0.45, 0.05, 0.5]);
  near(scores[2]!.subarray(0, 2), [...logs(0.9, 0.1)]);
  const extreme = completeScores(
    [Float32Array.of(-1e4, -1e4, 1e4), partial],
    [undefined, [[0], [1], []]],
    [1, 1],
    3,
  );
  assert.ok([...probabilities(extreme[1]!, 3, 0)].every(Number.isFinite));
});

test('probabilities: a loss at the temperature of the mean sees exactly the mean of the softened probabilities', () => {
  const [a, b] = [drawn(12, 'a'), drawn(12, 'b')];
  for (const temperature of [1, 4]) {
    const { logits } = combineScores([a, b], request({ temperature, weights: [0.25, 0.75] }));
    const soft = (z: Float32Array, row: number) =>
      probabilities(
        z.map((each) => each / temperature),
        3,
        row,
      );
    for (let row = 0; row < 4; row++) {
      const mean = soft(a, row).map((p, c) => 0.25 * p + 0.75 * soft(b, row)[c]!);
      near(soft(logits, row), [...mean], 1e-6);
    }
  }
});

test('logits: their mean; the same teacher twice says the same by every combination, up to a shift of the row', () => {
  const a = drawn(12, 'a');
  near(combineScores([a, a.map((z) => -z)], request({ combine: 'logits' })).logits, new Array(12).fill(0));
  for (const combine of ['probabilities', 'logits', 'standardized-logits'] as const) {
    const { logits } = combineScores([a, a], request({ combine }));
    for (let row = 0; row < 4; row++)
      near(logProbabilities(logits, 3, row), [...logProbabilities(a, 3, row)], 1e-5);
  }
});

test('standardized logits: no teacher counts more for a larger scale, and the row keeps a scale of logits', () => {
  const [a, b] = [Float32Array.of(1, 0, -1), Float32Array.of(-100, 0, 100)];
  near(combineScores([a, b], request({ combine: 'standardized-logits' })).logits, [0, 0, 0], 1e-4);
  const [c] = [Float32Array.of(300, 100, 200)];
  const { logits } = combineScores([a, c], request({ combine: 'standardized-logits' }));
  const deviation = (z: Float32Array) =>
    Math.sqrt(z.reduce((sum, v) => sum + (v - z.reduce((s, w) => s + w) / 3) ** 2, 0) / 3);
  const scale = (deviation(a) + deviation(c)) / 2;
  near(
    logits,
    [
      scale * 0.5 * (1 + 1) * 1.2247449,
      scale * 0.5 * (0 - 1) * 1.2247449,
      scale * 0.5 * (-1 + 0) * 1.2247449,
    ],
    1e-3,
  );
  const flat = combineScores([a, Float32Array.of(7, 7, 7)], request({ combine: 'standardized-logits' }));
  assert.ok(flat.logits.every(Number.isFinite));
});

test('confidence: a teacher without any idea has no say; where none has one, the given weights stay', () => {
  const third = 1 / 3;
  const sure = [0.8, 0.1, 0.1];
  const by = { by: 'confidence', confidence: 'entropy' } as const;
  near(rowWeights(opinions([third, third, third], sure), [0.9, 0.1], by, undefined), [0, 1]);
  near(
    rowWeights(opinions([third, third, third], [third, third, third]), [0.9, 0.1], by, undefined),
    [0.9, 0.1],
    1e-9,
  );
  const max = { by: 'confidence', confidence: 'max' } as const;
  near(rowWeights(opinions([0.5, 0.3, 0.2], sure), [0.5, 0.5], max, undefined), [5 / 13, 8 / 13]);
});

test('agreement: with a label, 1 - softmax of the cross-entropies (CA-MKD); without, those against the majority are dropped', () => {
  const by = { by: 'agreement', dissent: 0 } as const;
  const rows = opinions([0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]);
  const losses = [0.7, 0.6, 0.1].map((p) => -Math.log(p));
  const total = losses.reduce((sum, loss) => sum + Math.exp(loss), 0);
  const expected = losses.map((loss) => (1 - Math.exp(loss) / total) / 2);
  near(rowWeights(rows, [1 / 3, 1 / 3, 1 / 3], by, [1, 0, 0]), expected);
  near(rowWeights(rows, [1 / 3, 1 / 3, 1 / 3], by, undefined), [0.5, 0.5, 0]);
  near(rowWeights(rows, [0.1, 0.1, 0.8], by, undefined), [0, 0, 1]);
  near(
    rowWeights(rows, [1 / 3, 1 / 3, 1 / 3], { by: 'agreement', dissent: 0.5 }, undefined),
    [0.4, 0.4, 0.2],
  );
  // One vote each: the class with the larger mean probability wins.
  near(rowWeights(opinions([0.5, 0.4, 0.1], [0.1, 0.8, 0.1]), [0.5, 0.5], by, undefined), [0, 1]);
  const wrong = rowWeights(
    [Float64Array.of(-1e4, 0, -1e4), ...opinions([0.9, 0.05, 0.05])],
    [0.5, 0.5],
    by,
    [1, 0, 0],
  );
  near(wrong, [0, 1], 1e-9);
});

test('weights of a row follow its label where it may be used, and their mean over the rows is told', () => {
  const [a, b] = [logs(0.9, 0.05, 0.05, 0.9, 0.05, 0.05), logs(0.05, 0.9, 0.05, 0.05, 0.9, 0.05)];
  const weighting = { by: 'agreement', dissent: 1 } as const;
  const labels = Float32Array.of(0, 0, 0, 0, 1, 0);
  const { logits, meanWeights } = combineScores([a, b], request({ weighting, labels }));
  near(probabilities(logits, 3, 0), [0.475, 0.475, 0.05]);
  assert.ok(probabilities(logits, 3, 1)[1]! > 0.8);
  near(meanWeights, [(0.5 + 0.05 / 0.95) / 2, (0.5 + 0.9 / 0.95) / 2]);
});

test('learned weights have the smallest loss of all, whatever they start from', () => {
  const labels = Int32Array.from({ length: 60 }, (_, row) => row % 3);
  const knowing = (stream: string, gain: number): Float32Array =>
    drawn(180, stream, 1.5).map((z, i) => z + (labels[Math.floor(i / 3)] === i % 3 ? gain : 0));
  const scores = [knowing('a', 2), knowing('b', 1), drawn(180, 'c', 2)];
  for (const combine of ['probabilities', 'logits', 'standardized-logits'] as const) {
    const loss = (weights: readonly number[], given: readonly number[]): number => {
      const { logits } = combineScores(scores, request({ combine, weights, given }));
      return (
        labels.reduce((sum, label, row) => sum - logProbabilities(logits, 3, row)[label]!, 0) / labels.length
      );
    };
    const given = [0.2, 0.3, 0.5];
    const { weights, value, before, gap, rows } = fitWeights(scores, labels, request({ combine, given }));
    near(
      weights,
      weights.map((weight) => Math.max(0, weight)),
    );
    assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-9);
    assert.equal(rows, 60);
    assert.ok(gap <= 1e-6, `${combine}: gap ${gap}`);
    near([value, before], [loss(weights, given), loss(given, given)], 1e-5);
    for (let i = 0; i <= 20; i++) {
      for (let j = 0; i + j <= 20; j++) {
        const grid = [i / 20, j / 20, (20 - i - j) / 20];
        assert.ok(loss(grid, given) >= value - 1e-5, `${combine}: ${grid} is better`);
      }
    }
    // The given weights set the scale of standardised logits, so there they do decide.
    if (combine !== 'standardized-logits') {
      const again = fitWeights(scores, labels, request({ combine, given: [0.8, 0.1, 0.1] }));
      near(again.weights, [...weights], 5e-3);
    }
    const unlabelled = fitWeights(
      scores.map((own) => Float32Array.of(...own, 9, 0, 0)),
      Int32Array.of(...labels, -1),
      request({ combine, given }),
    );
    near(unlabelled.weights, [...weights], 1e-9);
  }
});

test('a minimum at a corner is found, and the bound of its distance is one', () => {
  const { weights, value, gap } = minimizeOnSimplex(
    ([a = 0, b = 0, c = 0]) => ({ value: a + 2 * b + 3 * c, gradient: [1, 2, 3] }),
    [1 / 3, 1 / 3, 1 / 3],
  );
  near(weights, [1, 0, 0], 1e-5);
  assert.ok(value - 1 <= gap && gap <= 1e-6);
});
