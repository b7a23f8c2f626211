import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { buildProgram, type ObjectiveTerm } from '../../src/core/program/build-program.ts';
import { rowDims, type SeenTensor } from '../../src/core/program/row-dims.ts';
import { OWN_PREFIX } from '../../src/core/students/own-names.ts';
import type { RetortError } from '../../src/errors.ts';

/** Terms name tensors of the student: what does not hold float32 rows first is refused by name, whatever the batch. */

const [LENGTH, WIDTH] = [6, 5];

/**
 * A student on sequences. Values: `h` and, under an uploaded file's names, `student/again` [N, 6, 5]; `seqfirst` [6, N, 5],
 * `ints` [N, 6, 1] int64, `transposed` [5, 5] of a weight, `likeness` [N, N], `folded` [6 N, 5], `sums` [N].
 */
function sequenceStudent(): Model {
  const b = new GraphBuilder();
  const named = (op: string, inputs: string[], attributes: object, name: string): string =>
    b.op(op, inputs, { ...attributes }, { outputs: [name] });
  const x = b.input('x', 'float32', ['N', LENGTH, WIDTH]);
  const square = Float32Array.from({ length: WIDTH ** 2 }, (_, i) => Math.sin(i));
  const w = b.initializer('w', tensor('float32', [WIDTH, WIDTH], square));
  const h = named('MatMul', [x, w], {}, 'h');
  named('ArgMax', [h], { axis: 2, keepdims: 1 }, 'ints');
  named('Reshape', [h, b.ints([-1, WIDTH])], {}, 'folded');
  named('ReduceSum', [h, b.ints([1, 2])], { keepdims: 0 }, 'sums');
  const transposed = named('Transpose', [w], { perm: [1, 0] }, 'transposed');
  const seqfirst = named('Transpose', [h], { perm: [1, 0, 2] }, 'seqfirst');
  const again = named(
    'Transpose',
    [b.op('MatMul', [seqfirst, transposed])],
    { perm: [1, 0, 2] },
    `${OWN_PREFIX}again`,
  );
  const mean = b.op('ReduceMean', [again, b.ints([1])], { keepdims: 0 });
  named('MatMul', [mean, b.op('Transpose', [mean], { perm: [1, 0] })], {}, 'likeness');
  const head = b.initializer('head', tensor('float32', [WIDTH, 3], new Float32Array(WIDTH * 3)));
  b.output(named('MatMul', [mean, head], {}, 'logits'));
  return b.model();
}

const student = sequenceStudent();
const optimizer = { name: 'sgd', options: {} };

const optionsOf = (name: string): Record<string, unknown> =>
  resolveOptions((losses[name as keyof typeof losses] as Loss).options, {}, name) as Record<string, unknown>;

const compare = (loss: string, to: string, dims: readonly number[], batchSize: number): void => {
  const term: ObjectiveTerm = { loss, weight: 1, options: optionsOf(loss), from: ['t'], to: [to] };
  buildProgram({ student, terms: [term], taps: [{ name: 't', dims }], batchSize, optimizer });
};

const refusal = (message: RegExp, word: 'to' | 'at') => (error: RetortError) => {
  assert.equal(error.code, 'SPEC_INVALID');
  assert.match(error.message, message);
  assert.match(error.hint ?? '', new RegExp(`"${word}", of float32 with its rows first`));
  return true;
};

for (const loss of [
  'fitnet',
  'cosine',
  'crd',
  'pkt',
  'relational',
  'similarity-preserving',
  'hidden-state',
]) {
  test(`${loss}: a sequence-first tensor is refused, as long as the batch or not`, () => {
    for (const batchSize of [LENGTH, LENGTH + 1, 2 * LENGTH, LENGTH / 2]) {
      assert.throws(
        () => compare(loss, 'seqfirst', [LENGTH, WIDTH], batchSize),
        refusal(/the student's tensor "seqfirst" \(\[6, N, 5\]\) does not have its rows first/, 'to'),
      );
      for (const fit of ['h', `${OWN_PREFIX}again`]) compare(loss, fit, [LENGTH, WIDTH], batchSize);
    }
  });
}

test('whole numbers, weights, what relates rows and what folds them are refused', () => {
  for (const [to, dims, message] of [
    ['ints', [LENGTH, 1], /"ints" \(\[N, 6, 1\]\) holds int64, not float32/],
    ['transposed', [WIDTH], /"transposed" \(\[5, 5\]\) does not have its rows first/],
    ['likeness', [WIDTH], /"likeness" \(\[N, N\]\) has more than its rows follow the batch/],
    ['folded', [WIDTH], /"folded" \(\[6N, 5\]\) does not have its rows first/],
    ['sums', [WIDTH], /"sums" \(\[N\]\) holds one number for each row/],
  ] as const) {
    for (const batchSize of [LENGTH, WIDTH]) {
      assert.throws(() => compare('similarity-preserving', to, dims, batchSize), refusal(message, 'to'));
    }
  }
});

test('so it is with layers of the student alone', () => {
  const within = (at: readonly string[], batchSize: number): void => {
    const loss = 'self-distillation';
    const term: ObjectiveTerm = { loss, weight: 1, temperature: 3, options: optionsOf(loss), at };
    buildProgram({ student, terms: [term], batchSize, optimizer });
  };
  for (const batchSize of [LENGTH, WIDTH]) {
    within(['h', `${OWN_PREFIX}again`], batchSize);
    assert.throws(() => within(['ints', 'h'], batchSize), refusal(/"ints".* holds int64/, 'at'));
    assert.throws(() => within(['seqfirst', 'h'], batchSize), refusal(/"seqfirst".* rows first/, 'at'));
  }
});

test('a tensor of an uploaded student is called by the name it has there', () => {
  assert.throws(
    () => compare('hidden-state', `${OWN_PREFIX}again`, [LENGTH + 1, WIDTH], 5),
    /the student's "again" \[5, 6, 5\] with the teacher's "t" \[5, 7, 5\]: their sequences are not equally long/,
  );
});

test('a teacher’s tensor may hold floats of any width; open and unknown shapes are refused', () => {
  const dimsOf = (...seen: SeenTensor[]) =>
    rowDims('the teacher\'s tensor "t"', seen, { dtype: 'floats', hint: 'Choose another.' });
  const half = (shape: (number | string)[] | undefined, rows: number): SeenTensor => ({
    rows,
    type: { dtype: 'float16', shape },
  });
  assert.deepEqual(dimsOf(half([5, 4, 6], 5), half([7, 4, 6], 7)), [4, 6]);
  assert.deepEqual(dimsOf(half([1, 6], 1)), [6]);
  for (const [seen, message] of [
    [[half([5, ''], 5), half([7, ''], 7)], /"t" \(\[N, \?\]\) has dimensions that are not known/],
    [[half(undefined, 5)], /"t" \(of unknown shape\) has dimensions that are not known/],
    [[{ rows: 5, type: undefined }], /holds no known type, not floats/],
    [[half([1, 6], 2)], /"t" \(\[1, 6\]\) does not have its rows first/],
  ] as const) {
    assert.throws(() => dimsOf(...seen), { code: 'SPEC_INVALID', message, hint: 'Choose another.' });
  }
});
