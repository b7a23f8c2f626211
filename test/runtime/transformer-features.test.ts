import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RetortError } from '../../src/errors.ts';
import { foundPairs } from '../../src/pipeline/layers/found-pairs.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { attentionNet } from '../support/attention-net.ts';
import { memorySource } from '../support/data-files.ts';
import { memoryTools, tinyRequest } from '../support/tiny-job.ts';

/** The losses on transformers, from one network of attention to a narrower one, by the example that shows them. */

const example = new URL('../../examples/specs/features-transformer.json', import.meta.url);
const teacher = attentionNet({ width: 16, seed: 1 });
const narrow = attentionNet({ width: 8, seed: 2, untrained: true });

function requestOf(student: Uint8Array, change: (spec: Record<string, never>) => object = (spec) => spec) {
  const spec = JSON.parse(readFileSync(example, 'utf8'));
  const train = { ...spec.train, kernel: 'onnxruntime' };
  const request = tinyRequest({ ...change(spec), train, controls: false }, teacher);
  return { ...request, upload: { ...request.upload, companions: [memorySource('student.onnx', student)] } };
}

test('a narrower network of attention comes closer in its scores, states and relations', async () => {
  const tools = memoryTools();
  const results = await runJourney(requestOf(narrow), tools);
  const text = new TextDecoder().decode(await tools.blobs.get(results.train.log.hash));
  const log = text
    .trim()
    .split('\n')
    .map((line): Record<string, number> => JSON.parse(line))
    .filter((line) => 'loss' in line);
  for (const loss of ['embedding', 'hidden-state', 'attention-map', 'minilm-relations']) {
    const [first, last] = [log[0]!, log.at(-1)!].map((line) => line[`term:${loss}`]!) as [number, number];
    assert.ok(last < 0.7 * first, `${loss}: ${first} to ${last}`);
  }
  assert.deepEqual(
    foundPairs(results.match.terms!).map(({ loss, from, to }) => `${loss}: ${from} ${to}`),
    ['embedding: norm norm', 'hidden-state: norm norm', 'hidden-state: hidden hidden'],
  );
});

test('heads that differ are refused by attention-map, heads that do not divide the width by minilm-relations', async () => {
  const refused = (student: Uint8Array, only: string, changes: object, message: RegExp) =>
    assert.rejects(
      async () =>
        runJourney(
          requestOf(student, (spec) => {
            const { terms } = (spec as unknown as { objective: { terms: { loss: string }[] } }).objective;
            const kept = terms.filter(({ loss }) => loss === 'kl' || loss === only);
            return {
              ...spec,
              objective: { terms: kept.map((term) => (term.loss === only ? { ...term, ...changes } : term)) },
            };
          }),
          memoryTools(),
        ),
      (error: RetortError) => {
        assert.equal(error.code, 'SPEC_INVALID');
        assert.match(error.message, message);
        return true;
      },
    );
  await refused(
    attentionNet({ width: 8, heads: 4, seed: 2 }),
    'attention-map',
    {},
    /student's "attention" \[.*teacher's "attention" \[.*their shapes differ/,
  );
  await refused(narrow, 'minilm-relations', { heads: 3 }, /cannot cut 8 numbers into 3 heads/);
  await refused(narrow, 'attention-map', { from: 'auto', to: 'auto' }, /cannot find its tensors by itself/);
});
