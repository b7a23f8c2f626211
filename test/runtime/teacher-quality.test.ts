import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSource } from '../../src/adapters/files/file-source.ts';
import type { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { fixture } from '../support/fixtures.ts';
import { memoryTools, tinyRequest } from '../support/tiny-job.ts';

const mnist = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'];

/** The refusal of a real teacher on the MNIST training files, under this spec. */
async function refusal(teacher: string, spec: object): Promise<RetortError | undefined> {
  const paths = [`fixtures/${teacher}/model.onnx`, ...mnist.map((name) => `fixtures/data/mnist/${name}`)].map(
    fixture,
  );
  if (paths.includes(undefined)) return undefined;
  const [model, ...data] = await Promise.all(paths.map((path) => fileSource(path!)));
  const request = {
    ...tinyRequest({ version: 1, ...spec }),
    upload: { teacher: model!, companions: [], data },
  };
  try {
    await runJourney(request, memoryTools());
    assert.fail('the journey went on');
  } catch (error) {
    return error as RetortError;
  } finally {
    await Promise.all([model!, ...data].map((file) => file.close()));
  }
}

test('a real teacher that was never trained is refused before compute is spent', async (t) => {
  const error = await refusal('onnx-negative/mnist-mlp-ort-training', {});
  if (!error) return t.skip('no shared fixtures');
  assert.equal(error.code, 'TEACHER_QUALITY', error.message);
  assert.ok(Number(error.facts.balancedAccuracy) < 0.2);
  const tried = error.facts.scalings as { name: string; accuracy: number }[];
  assert.ok(tried.length >= 3 && tried.every(({ accuracy }) => accuracy < 0.3));
  assert.ok(Number(error.facts.permutedAccuracy) > Number(error.facts.accuracy));
});

test('a good teacher that is fed wrongly is refused, and the refusal says what feeds it rightly', async (t) => {
  const inputs = { '*': { scale: 1e-6 } };
  const error = await refusal('teachers/mnist-cnn-ort', { inputs });
  if (!error) return t.skip('no shared fixtures');
  assert.equal(error.code, 'TEACHER_QUALITY', error.message);
  assert.match(error.hint ?? '', /0\.\.255.*"scale":1/);
});
