import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { runSteps } from '../../src/pipeline/training/run-steps.ts';
import { layeredTeacher } from '../support/feature-job.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Hidden tensors of a teacher that are infinite or not a number, behind scores that are well. */

/** The layered teacher beside a float16 branch that overflows, `wide` [N, 20], and is cut off before the scores. */
function overflowing(): Uint8Array {
  const { graph, opsets } = decodeModel(layeredTeacher());
  const b = GraphBuilder.from(graph, opsets);
  const half = b.op('Cast', ['vector'], { to: 10 });
  const large = b.constant(6e4, 'float16');
  const much = b.op('Mul', [b.op('Mul', [half, large]), large]);
  const wide = b.op('Cast', [b.op('Relu', [much], {}, { outputs: ['wide'] })], { to: 1 });
  const none = b.initializer('none', tensor('float32', [20, 4], new Float32Array(80)));
  const nothing = b.op('MatMul', [b.op('Min', [wide, b.constant(1)]), none]);
  b.output(b.op('Add', ['scores', nothing], {}, { outputs: ['sum'] }));
  return encodeModel(b.model('overflowing'));
}

/** The layered teacher with a weight that is not a number. */
function spoilt(): Uint8Array {
  const model = decodeModel(layeredTeacher());
  const initializers = new Map(model.graph.initializers);
  const weights = new Float32Array(5 * 6 * 4).fill(0.1);
  weights[7] = Number.NaN;
  initializers.set('deep.w', tensor('float32', [5, 6, 2, 2], weights));
  return encodeModel({ ...model, graph: { ...model.graph, initializers } });
}

function run(terms: readonly object[], companions: Readonly<Record<string, Uint8Array>> = {}) {
  const [file] = Object.keys(companions);
  const student = file ? { model: file } : { architecture: 'mlp', hidden: [8] };
  const train = { kernel: 'onnxruntime', steps: 2, batchSize: 32 };
  const spec = tinySpec({ controls: false, student, objective: { terms }, train });
  return runJourney(tinyRequest(spec, overflowing(), companions), memoryTools());
}

const soft = { loss: 'kl' };

for (const [title, terms] of [
  ['auto looks at', [soft, { loss: 'cosine' }]],
  [
    'a term names, when its weight is set',
    [soft, { loss: 'fitnet', weight: 'auto', from: 'wide', to: 'hidden1' }],
  ],
  ['a term names, when the student is trained', [soft, { loss: 'fitnet', from: 'wide', to: 'hidden1' }]],
] as const) {
  test(`a layer that ${title} is refused by name`, () =>
    assert.rejects(run(terms), (error: RetortError) => {
      assert.equal(error.code, 'TEACHER_NOT_FINITE', error.message);
      const said =
        /the teacher's tensor "wide" holds infinities or what is not a number in (\d+) of (\d+) rows/.exec(
          error.message,
        );
      assert.ok(said && Number(said[1]) > 0, error.message);
      assert.match(error.hint ?? '', /inputs.*float16.*"from"/);
      return true;
    }));
}

test('layers that nothing compares may be infinite', async () => {
  const { match } = await run([soft, { loss: 'fitnet', from: 'vector', to: 'hidden1' }]);
  assert.deepEqual(match.terms![1]!.from, ['vector']);
});

test('a layer of the untrained student that is not a number is refused by name', () =>
  assert.rejects(
    run([soft, { loss: 'attention-transfer' }], { 'spoilt.onnx': spoilt() }),
    (error: RetortError) => {
      assert.equal(error.code, 'STUDENT_UNFIT', error.message);
      assert.match(error.message, /untrained student's layer "deep" holds .* in (\d+) of \1 rows/);
      assert.match(error.hint ?? '', /inputs .* weights/);
      return true;
    },
  ));

const taps = [
  { name: 'one', dims: [2] },
  { name: 'two', dims: [3] },
];
/** Two steps of three rows; `bad` is in the last row of the second tensor. */
const chunkWith = (bad: number) => {
  const [first, second] = [new Float32Array(12).fill(3e38), new Float32Array(18)];
  second[17] = bad;
  return {
    steps: 2,
    feeds: {
      teacher_features_0: { dtype: 'float32', dims: [2, 3, 2], data: first },
      teacher_features_1: { dtype: 'float32', dims: [2, 3, 3], data: second },
    },
    scalars: {},
  } as const;
};

test('whatever step the first infinity is fed to, the tensor is blamed, and only then', async () => {
  const diverged = new RetortError('TRAIN_DIVERGED', 'the loss is NaN at step 7');
  const failing = (error: Error) => ({ run: () => Promise.reject(error) });
  for (const bad of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
    await assert.rejects(runSteps(failing(diverged), chunkWith(bad), taps), {
      code: 'TEACHER_NOT_FINITE',
      message: /"two" .* in 1 of 6 rows/,
    });
    const other = new RetortError('CANCELLED', 'stopped');
    await assert.rejects(runSteps(failing(other), chunkWith(bad), taps), other);
  }
  await assert.rejects(runSteps(failing(diverged), chunkWith(3e38), taps), diverged);
  const result = { loss: Float32Array.of(1, 2), metrics: {} };
  assert.equal(await runSteps({ run: async () => result }, chunkWith(Number.NaN), taps), result);
});
