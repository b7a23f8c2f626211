import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import type { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { delayedKernel } from '../support/delayed-kernel.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Students that come as files and teach the job's: a kernel that cannot train one is found out before the teacher is asked. */

/** A network with this operator between two layers. */
function uploaded(op: 'Hardmax' | 'Det' | 'Relu'): Uint8Array {
  const b = new GraphBuilder();
  const random = new Random(5, 'weights');
  const weights = (name: string, dims: readonly number[]): string => {
    const values = Float32Array.from({ length: dims[0]! * dims[1]! }, () => 0.15 * random.normal());
    return b.initializer(name, tensor('float32', dims, values));
  };
  const x = b.input('picture', 'float32', ['N', 1, 8, 8]);
  const flat = b.op('Flatten', [b.op('Mul', [x, b.constant(1 / 255)])], { axis: 1 });
  const inner = b.op('MatMul', [flat, weights('first', [64, 4])]);
  // No kernel knows the gradient of Det; that of Hardmax is 0, and tfjs has no such operator.
  const made = op === 'Det' ? b.op(op, [b.op('Reshape', [inner, b.ints([-1, 1, 2, 2])])]) : b.op(op, [inner]);
  b.op('MatMul', [b.op('Add', [inner, made]), weights('last', [4, 4])], {}, { outputs: ['scores'] });
  b.output('scores');
  return encodeModel(b.model('mine'));
}

const asked = (strategy: object, kernel: string, op: 'Hardmax' | 'Det' | 'Relu', own: object = {}) => {
  const train = { kernel, epochs: 2, batchSize: 16 };
  const spec = tinySpec({ controls: false, train, strategy, ...own });
  return tinyRequest(spec, undefined, { 'mine.onnx': uploaded(op) });
};
const assistants = { name: 'progressive', assistants: [{ hidden: [12] }, { model: 'mine.onnx' }] };
const peer = { name: 'mutual', peer: { model: 'mine.onnx' }, rounds: 1 };

test('what a kernel cannot train is refused before the teacher is asked, with the file and its phase', async () => {
  for (const [strategy, kernel, op, words] of [
    [
      assistants,
      'tfjs',
      'Hardmax',
      /^student "mine\.onnx" of the phase "assistant-2": .* no operator Hardmax$/,
    ],
    [peer, 'tfjs', 'Hardmax', /^student "mine\.onnx" of the phase "peer-0": .* no operator Hardmax$/],
    [assistants, 'auto', 'Det', /^student "mine\.onnx" of the phase "assistant-2": .*Det/],
  ] as const) {
    const stages: string[] = [];
    const observer = {
      stage: (name: string) => void stages.push(name),
      progress: (name: string) => assert.notEqual(name, 'teach', 'the teacher has been asked'),
    };
    const refusal = (error: RetortError): boolean => {
      assert.match(error.message, words);
      return error.code === (op === 'Det' ? 'GRAD_MISSING_RULE' : 'TRAIN_UNSUPPORTED');
    };
    const request = asked(strategy, kernel, op);
    await assert.rejects(runJourney({ ...request, observer }, memoryTools()), refusal);
    assert.equal(stages.at(-1), 'teach');
    await assert.rejects(
      validateJob(request, memoryTools(), () => 1),
      refusal,
    );
  }
});

test('an uploaded student of the job is named by its file alone, where there is but one phase', async () => {
  const request = asked({ name: 'single-stage' }, 'tfjs', 'Hardmax', { student: { model: 'mine.onnx' } });
  await assert.rejects(runJourney(request, memoryTools()), (error: RetortError) =>
    /^student "mine\.onnx": the tfjs/.test(error.message),
  );
  const none = asked({ name: 'single-stage' }, 'auto', 'Det', { student: { model: 'mine.onnx' } });
  await assert.rejects(
    validateJob(none, memoryTools(), () => 1),
    (error: RetortError) => /^student "mine\.onnx": Det/.test(error.message),
  );
});

test('the faster kernel is passed over where it cannot train an assistant, and the reason says so', async () => {
  const quick = delayedKernel('tfjs', 0).kernel;
  const unable: typeof quick = {
    ...quick,
    open: async (program, options) => {
      const hasIt = JSON.stringify(program.graph.nodes.map(({ op }) => op)).includes('Hardmax');
      if (hasIt) return memoryTools().kernels.tfjs!.open(program, options);
      return quick.open(program, options);
    },
  };
  const tools = {
    ...memoryTools(),
    kernels: { tfjs: unable, onnxruntime: delayedKernel('onnxruntime', 60).kernel },
  };
  const through = async (op: 'Hardmax' | 'Relu') =>
    (await runJourney({ ...asked(assistants, 'auto', op), until: 'calibrate' }, tools)).calibrate;
  assert.equal((await through('Relu')).kernel, 'tfjs');
  const { kernel, reason } = await through('Hardmax');
  assert.equal(kernel, 'onnxruntime');
  assert.match(reason, /; tfjs: student "mine\.onnx" of the phase "assistant-2": .*Hardmax$/);
});

test('an uploaded student and a peer of another kind learn from each other', async () => {
  const strategy = { name: 'mutual', peer: { architecture: 'mlp', hidden: [6] }, rounds: 1 };
  const request = asked(strategy, 'onnxruntime', 'Relu', { student: { model: 'mine.onnx' } });
  const { train } = await runJourney({ ...request, until: 'train' }, memoryTools());
  assert.deepEqual(
    train.phases.map(({ name }) => name),
    ['peer-0', 'student-0', 'peer-1', 'student-1'],
  );
});
