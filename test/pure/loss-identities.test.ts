import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss, LossNumbers } from '../../src/core/losses/loss.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { Random } from '../../src/core/random.ts';

/** What the literature proves of the losses, on the references; that graphs agree with these is the conformance suite's. */

const [B, C] = [6, 5];

/** Every row has a label; the teacher is right in some, wrong in others. */
function numbersFrom(seed: number, temperature = 1, rows = B, classes = C): LossNumbers {
  const random = new Random(seed, 'identities');
  const logits = () =>
    Array.from({ length: rows }, () => Array.from({ length: classes }, () => 2 * random.normal()));
  const labels = Array.from({ length: rows }, (_, b) =>
    Array.from({ length: classes }, (_, c) => Number(c === b % classes)),
  );
  return { studentLogits: logits(), teacherLogits: logits(), labels, temperature };
}

function value(name: keyof typeof losses, numbers: LossNumbers, options: object = {}): number {
  const loss: Loss = losses[name];
  return loss.reference(numbers, resolveOptions(loss.options, { ...options }, name));
}

const softmax = (row: readonly number[], temperature = 1): number[] => {
  const powers = row.map((z) => Math.exp(z / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};
const rowOf = (numbers: LossNumbers, b: number): LossNumbers => ({
  ...numbers,
  studentLogits: [numbers.studentLogits[b]!],
  teacherLogits: [numbers.teacherLogits[b]!],
  labels: [numbers.labels[b]!],
});
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const swapRoles = (numbers: LossNumbers): LossNumbers => ({
  ...numbers,
  studentLogits: numbers.teacherLogits,
  teacherLogits: numbers.studentLogits,
});
const topOf = (row: readonly number[]): number => row.indexOf(Math.max(...row));
const correlation = (x: readonly number[], y: readonly number[]): number => {
  const standard = (values: readonly number[]) => {
    const centred = values.map((v) => v - mean(values));
    const deviation = Math.sqrt(mean(centred.map((v) => v * v)));
    return centred.map((v) => v / deviation);
  };
  const [a, b] = [standard(x), standard(y)];
  return mean(a.map((v, i) => v * b[i]!));
};

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1e-3, Math.abs(expected)),
    `${actual} against ${expected}`,
  );
}

for (const temperature of [1, 4]) {
  const numbers = numbersFrom(1, temperature);

  test(`T=${temperature}: kl is TCKD + (1 - p_t) NCKD, so dkd with alpha 1 and beta 1 - p_t is kl`, () => {
    numbers.labels.forEach((label, b) => {
      const row = rowOf(numbers, b);
      const target = softmax(row.teacherLogits[0]!, temperature)[topOf(label)]!;
      near(value('dkd', row, { alpha: 1, beta: 1 - target }), value('kl', row));
    });
  });

  test(`T=${temperature}: dkd without labels is dkd where the teacher's choice is the label`, () => {
    const labels = numbers.teacherLogits.map((row) => row.map((_, c) => Number(c === topOf(row))));
    near(value('dkd-label-free', numbers), value('dkd', { ...numbers, labels }));
    const none = numbers.labels.map((row) => row.map(() => 0));
    near(value('dkd', { ...numbers, labels: none }), value('dkd-label-free', numbers));
    assert.notEqual(value('dkd', numbers), value('dkd-label-free', numbers));
  });

  test(`T=${temperature}: of two classes dkd sees the target alone, which is kl`, () => {
    const pairs = numbersFrom(2, temperature, B, 2);
    near(value('dkd', pairs, { alpha: 1, beta: 100 }), value('kl', pairs));
  });

  test(`T=${temperature}: reverse-kl is kl with the roles swapped`, () => {
    near(value('reverse-kl', numbers), value('kl', swapRoles(numbers)));
    assert.notEqual(value('reverse-kl', numbers), value('kl', numbers));
  });

  test(`T=${temperature}: jsd is symmetric at beta 0.5, bounded, and tends to kl and reverse-kl at its ends`, () => {
    near(value('jsd', numbers), value('jsd', swapRoles(numbers)));
    near(value('jsd', numbers, { beta: 0.3 }), value('jsd', swapRoles(numbers), { beta: 0.7 }));
    const apart = { ...numbers, studentLogits: [[90, 0, 0, 0, 0]], teacherLogits: [[0, 90, 0, 0, 0]] };
    near(value('jsd', apart), temperature ** 2 * Math.LN2, 1e-6);
    near(value('jsd', numbers, { beta: 1e-6 }) / 1e-6, value('kl', numbers), 1e-3);
    near(value('jsd', numbers, { beta: 1 - 1e-6 }) / 1e-6, value('reverse-kl', numbers), 1e-3);
  });

  test(`T=${temperature}: wttm is sum p^(1/T) (ln p^ - ln q) of all rows over the sum of all p^(1/T)`, () => {
    const rows = numbers.teacherLogits.map((teacher, b) => {
      const powers = softmax(teacher).map((p) => p ** (1 / temperature));
      const sum = powers.reduce((a, p) => a + p, 0);
      const student = softmax(numbers.studentLogits[b]!);
      return [
        sum,
        powers.reduce((a, power, c) => a + power * Math.log(power / sum / student[c]!), 0),
      ] as const;
    });
    near(value('wttm', numbers), mean(rows.map((row) => row[1])) / mean(rows.map((row) => row[0])));
    if (temperature === 1) near(value('wttm', numbers), value('kl', numbers));
    else assert.notEqual(value('wttm', numbers), value('wttm', numbers, { weighted: false }));
  });

  test(`T=${temperature}: dist is 1 - Pearson of rows plus 1 - Pearson of columns`, () => {
    const p = (rows: LossNumbers['studentLogits']) => rows.map((row) => softmax(row, temperature));
    const turned = (rows: number[][]) => rows[0]!.map((_, c) => rows.map((row) => row[c]!));
    const [s, t] = [p(numbers.studentLogits), p(numbers.teacherLogits)];
    const rows = 1 - mean(s.map((row, b) => correlation(row, t[b]!)));
    const columns = 1 - mean(turned(s).map((column, c) => correlation(column, turned(t)[c]!)));
    near(value('dist', numbers, { intra: 0 }), rows, 1e-6);
    near(value('dist', numbers, { inter: 0 }), columns, 1e-6);
    near(value('dist', numbers, { inter: 2, intra: 3 }), 2 * rows + 3 * columns, 1e-6);
  });

  test(`T=${temperature}: kl weighted by entropy is the mean of entropy times kl, row by row`, () => {
    const rows = numbers.labels.map((_, b) => {
      const p = softmax(numbers.teacherLogits[b]!, temperature);
      return -p.reduce((sum, v) => sum + v * Math.log(v), 0) * value('kl', rowOf(numbers, b));
    });
    near(value('entropy-weighted-kl', numbers), mean(rows));
    const flat = { ...numbers, teacherLogits: numbers.teacherLogits.map((row) => row.map(() => 3)) };
    near(value('entropy-weighted-kl', flat), Math.log(C) * value('kl', flat));
  });

  test(`T=${temperature}: a corrected teacher is kl where it is right; swapped, it chooses the label`, () => {
    const right = numbers.teacherLogits.map((row) => row.map((_, c) => Number(c === topOf(row))));
    near(value('corrected-kl', { ...numbers, labels: right }), value('kl', numbers));
    const teacherLogits = numbers.teacherLogits.map((row, b) => {
      const [y, top] = [topOf(numbers.labels[b]!), topOf(row)];
      return row.map((z, c) => (c === y ? row[top]! : c === top ? row[y]! : z));
    });
    near(value('corrected-kl', numbers), value('kl', { ...numbers, teacherLogits }));
    const none = numbers.labels.map((row) => row.map(() => 0));
    for (const correction of ['swap', 'mix']) {
      near(value('corrected-kl', { ...numbers, labels: none }, { correction }), value('kl', numbers));
    }
  });

  test(`T=${temperature}: sigmoids of one class are the softmax of two, divided by the classes`, () => {
    const one = numbersFrom(3, temperature, B, 1);
    const pair = (rows: LossNumbers['studentLogits']) => rows.map(([z]) => [z!, 0]);
    const two = { ...one, studentLogits: pair(one.studentLogits), teacherLogits: pair(one.teacherLogits) };
    near(value('sigmoid-kd', one), value('kl', two));
    near(value('sigmoid-kd', two), value('kl', two) / 2);
  });
}

test('mixed, a wrong teacher has the label in front by the lead, a right one as much more', () => {
  const lead = 0.2;
  for (const [label, expected] of [
    [0, [0.6 + lead, 0.3 / 2, 0.1 / 2]],
    [1, [0.6 * (0.8 / 1.3), 0.3 * (0.8 / 1.3) + 0.5 / 1.3, 0.1 * (0.8 / 1.3)]],
  ] as const) {
    const teacherLogits = [[0.6, 0.3, 0.1].map(Math.log)];
    const numbers = {
      teacherLogits,
      studentLogits: [[1, 2, 3]],
      labels: [[0, 1, 2].map((c) => Number(c === label))],
      temperature: 1,
    };
    const corrected = { ...numbers, teacherLogits: [expected.map(Math.log)] };
    near(
      expected.reduce((a, b) => a + b, 0),
      1,
    );
    near(value('corrected-kl', numbers, { correction: 'mix', lead }), value('kl', corrected));
    if (label === 1) near(expected[1] - expected[0], lead);
  }
});

test('kl, reverse-kl, jsd and dist for a large temperature', () => {
  const numbers = numbersFrom(4, 1e4);
  const centred = (row: readonly number[]) => row.map((z) => z - mean(row));
  const distance = mean(
    numbers.studentLogits.map((row, b) => {
      const teacher = centred(numbers.teacherLogits[b]!);
      return centred(row).reduce((sum, z, c) => sum + (z - teacher[c]!) ** 2, 0);
    }),
  );
  // Half the squared distance of centred logits over C: up to the half, logit MSE of centred logits.
  near(value('kl', numbers), distance / (2 * C), 1e-3);
  near(value('reverse-kl', numbers), distance / (2 * C), 1e-3);
  for (const beta of [0.25, 0.5]) {
    near(value('jsd', numbers, { beta }), (beta * (1 - beta) * distance) / (2 * C), 1e-3);
  }
  const rows = numbers.studentLogits.map((row, b) => correlation(row, numbers.teacherLogits[b]!));
  near(value('dist', { ...numbers, temperature: 100 }, { intra: 0 }), 1 - mean(rows), 2e-2);
  const centredNumbers = {
    ...numbers,
    studentLogits: numbers.studentLogits.map(centred),
    teacherLogits: numbers.teacherLogits.map(centred),
  };
  near(value('kl', numbers), value('logit-mse', centredNumbers) / 2, 1e-3);
});

test('what measures a distance is zero where the student equals the teacher, and positive elsewhere', () => {
  for (const temperature of [1, 4]) {
    const numbers = numbersFrom(5, temperature);
    const same = { ...numbers, studentLogits: numbers.teacherLogits };
    const names = [
      ...([
        'kl',
        'reverse-kl',
        'jsd',
        'dkd',
        'dkd-label-free',
        'entropy-weighted-kl',
        'multi-level',
      ] as const),
      ...(['sigmoid-kd', 'dist', 'logit-mse'] as const),
    ];
    for (const name of names) {
      assert.ok(Math.abs(value(name, same)) < 1e-6, name);
      assert.ok(value(name, numbers) > 1e-2, name);
    }
  }
});

test('standardised losses do not see shift and scale of the logits', () => {
  const numbers = numbersFrom(6, 2);
  const studentLogits = numbers.studentLogits.map((row, b) => row.map((z) => (b + 2) * z + 7));
  for (const [name, loss] of Object.entries(losses)) {
    if (!('standardize' in loss.options.properties) || name === 'entropy-weighted-kl') continue;
    const options = { standardize: true };
    near(
      value(name as keyof typeof losses, { ...numbers, studentLogits }, options),
      value(name as keyof typeof losses, numbers, options),
      1e-5,
    );
  }
});

test('multi-level is the mean of kl over temperatures, and relations that no order of the rows changes', () => {
  const numbers = numbersFrom(7);
  const temperatures = [2, 5];
  const instance = { temperatures, batch: 0, class: 0 };
  near(
    value('multi-level', numbers, instance),
    mean(temperatures.map((temperature) => value('kl', { ...numbers, temperature }))),
  );
  // Rows turned round in student and teacher alike: every relation is still there.
  const turned = {
    ...numbers,
    studentLogits: [...numbers.studentLogits].reverse(),
    teacherLogits: [...numbers.teacherLogits].reverse(),
  };
  near(value('multi-level', turned), value('multi-level', numbers));
  // A student whose classes are renamed relates rows as before, but not classes.
  const renamed = { ...numbers, studentLogits: numbers.teacherLogits.map((row) => [...row].reverse()) };
  near(value('multi-level', renamed, { instance: 0, batch: 1, class: 0 }), 0);
  assert.ok(value('multi-level', renamed, { instance: 0, batch: 0, class: 1 }) > 1e-4);
});

test('regression leaves a student alone that beats the teacher, and does not follow a teacher that is worse', () => {
  const numbers = {
    studentLogits: [[1], [3], [0.5]],
    teacherLogits: [[2], [2.5], [4]],
    labels: [[1.5], [2.4], [0.4]],
    temperature: 1,
  };
  // Errors of the student 0.25, 0.36, 0.01; of the teacher 0.25, 0.01, 12.96.
  near(value('regression-kd', numbers), 0.36 / 3);
  near(value('regression-kd', numbers, { margin: 0.01 }), (0.25 + 0.36) / 3);
  near(value('regression-kd', numbers, { margin: 100 }), (0.25 + 0.36 + 0.01) / 3);
  near(value('regression-kd', numbers, { imitate: true }), 0.25 / 3);
  // Without a target the teacher stands for it; a negative one is a target.
  near(value('regression-kd', { ...numbers, labels: [[0], [0], [0]] }), (1 + 0.25 + 12.25) / 3);
  near(value('regression-kd', { ...numbers, labels: [[-1], [-1], [-1]] }, { margin: 1 }), 16 / 3);
});

test('what says nothing of two classes is refused there, with a reason', () => {
  const refused = Object.entries(losses).flatMap(([name, entry]) => {
    const loss: Loss = entry;
    const options = resolveOptions(loss.options, {}, name) as Record<string, unknown>;
    const why = (given: object) => loss.refusesPairs?.({ ...options, ...given });
    assert.equal(why({ standardize: false, inter: 0 }), undefined, name);
    if ('standardize' in options) assert.match(why({ standardize: true })!, /two classes/, name);
    return why({}) ? [name] : [];
  });
  assert.deepEqual(refused, ['dist']);
  assert.match(losses.dkd.refusesPairs!({ alpha: 0, beta: 1, standardize: false })!, /two classes/);
});
