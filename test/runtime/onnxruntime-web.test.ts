import assert from 'node:assert/strict';
import { test } from 'node:test';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { foldBatchNorm } from '../../src/core/onnx/passes/fold-batch-norm.ts';
import { inferenceMode } from '../../src/core/onnx/passes/inference-mode.ts';
import { applyPass } from '../../src/core/onnx/passes/pass.ts';
import { Random } from '../../src/core/random.ts';
import { students } from '../../src/core/students/index.ts';
import type { StudentArchitecture } from '../../src/core/students/student.ts';
import { runModel } from '../support/run-model.ts';

// The wasm build of the browser runtime, here under Node.
env.wasm.numThreads = 1;

const port = { input: 'pixels', inputShape: [3, 24, 24], output: 'scores', classes: 7 };
const BATCH = 3;

for (const [name, entry] of Object.entries(students)) {
  test(`${name}: the exported student gives the same logits in onnxruntime-web as in onnxruntime-node`, async () => {
    const architecture: StudentArchitecture = entry;
    const trained = architecture.build(port, architecture.ladder(port)[2]!, 0);
    const student = applyPass(foldBatchNorm, applyPass(inferenceMode, trained, {}), {});
    const random = new Random(1, 'web');
    const dims = [BATCH, ...port.inputShape];
    const data = Float32Array.from({ length: BATCH * 3 * 24 * 24 }, () => random.normal());

    const expected = await runModel(student, { pixels: { dtype: 'float32', dims, data } });
    const session = await InferenceSession.create(encodeModel(student), { executionProviders: ['wasm'] });
    const found = await session.run({ pixels: new Tensor('float32', data, dims) });
    await session.release();

    const logits = Array.from(found.scores!.data as Float32Array);
    assert.deepEqual(found.scores!.dims, [BATCH, port.classes]);
    assert.ok(
      logits.some((z) => Math.abs(z) > 1e-3),
      'the logits are not all near zero',
    );
    logits.forEach((z, i) => {
      const want = Number(expected.scores!.data[i]);
      assert.ok(Math.abs(z - want) <= 1e-4 * Math.max(1, Math.abs(want)), `logit ${i}: ${z} against ${want}`);
    });
  });
}
