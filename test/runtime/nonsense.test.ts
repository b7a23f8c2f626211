import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Specs that fit the schema and mean nothing: the answer names the thing, and says what to do about it. */

const foresee = (changes: object) => validateJob(tinyRequest(tinySpec(changes)), memoryTools(), () => 0);

/** The error of a job must have this code, message and hint. */
const refused = (job: Promise<unknown>, code: string, message: RegExp, hint: RegExp) =>
  assert.rejects(job, (error: RetortError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    return true;
  });

test('a constant for the only input leaves nothing to be fed', () =>
  refused(
    foresee({ inputs: { picture: { constant: [1] } } }),
    'SPEC_INVALID',
    /every input of the teacher a constant \(picture\)/,
    /leave out its "constant"/,
  ));

test('a column that the dataset lacks is told by its name', () =>
  refused(
    foresee({ inputs: { picture: { column: 'imagee' } } }),
    'DATA_MISMATCH',
    /\/inputs\/picture\/column: the dataset has no column "imagee"/,
    /Did you mean "image"\? It has image/,
  ));

test('what is refused for its columns leaves no file open', async () => {
  const tools = memoryTools();
  const source = tools.blobs.source.bind(tools.blobs);
  let open = 0;
  tools.blobs.source = async (hash) => {
    const opened = await source(hash);
    open++;
    const close = async () => {
      open--;
      await opened.close();
    };
    return { ...opened, close };
  };
  for (const wish of [{ column: 'imagee' }, { mean: [1, 2] }]) {
    const job = validateJob(tinyRequest(tinySpec({ inputs: { picture: wish } })), tools, () => 0);
    await assert.rejects(job, { code: 'DATA_MISMATCH' });
  }
  assert.equal(open, 0);
});

test('a loss that is no number before anything is learned is not laid to the learning rate', () => {
  // The weights of the objective are finite one by one, and overflow together.
  const objective = { terms: [{ loss: 'kl', weight: 3e38, temperature: 100 }] };
  const train = { kernel: 'onnxruntime', epochs: 1, batchSize: 16 };
  const job = runJourney(tinyRequest(tinySpec({ objective, train, controls: false })), memoryTools());
  return refused(job, 'TRAIN_DIVERGED', /at step 0/, /weights and temperatures of the objective/);
});

test('a student whose last step has left no finite weights has diverged', () => {
  const optimizer = { name: 'sgd', learningRate: 1e30 };
  const train = { kernel: 'onnxruntime', steps: 1, batchSize: 16, optimizer };
  const job = runJourney(tinyRequest(tinySpec({ train, controls: false })), memoryTools());
  return refused(job, 'TRAIN_DIVERGED', /the student that was trained/, /Lower the learning rate/);
});
