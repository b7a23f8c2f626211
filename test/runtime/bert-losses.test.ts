import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { bertLike, bertRows } from '../support/bert-like.ts';
import { memorySource } from '../support/data-files.ts';
import { kernels } from '../support/kernels.ts';
import { memoryTools, tinyRequest } from '../support/tiny-job.ts';

/**
 * Each loss on transformers alone beside soft targets: from a network of two layers on token ids to a narrower one of one layer,
 * which knows nothing at first, through the whole journey.
 */

const teacher = bertLike({ layers: 2, width: 16, seed: 1 });
const narrow = bertLike({ layers: 1, width: 8, seed: 2, untrained: true });
const projections = (layer: number) => ['query', 'key', 'value'].map((name) => `${name}.${layer}`);

const terms = {
  embedding: {},
  'hidden-state': {},
  'attention-map': { from: 'attention.2', to: 'attention.1' },
  'minilm-relations': { heads: 2, from: projections(2), to: projections(1) },
};

for (const kernel of kernels) {
  for (const [loss, options] of Object.entries(terms)) {
    test(`${kernel.name}, ${loss}: a small BERT comes closer to a larger one, and learns its task`, async () => {
      const request = tinyRequest(
        {
          version: 1,
          student: { model: 'student.onnx' },
          objective: {
            terms: [
              { loss: 'kl', weight: 0.9, temperature: 2 },
              { loss, weight: 'auto', ...options },
            ],
          },
          train: {
            kernel: kernel.name,
            epochs: 12,
            batchSize: 32,
            optimizer: { name: 'adamw', learningRate: 0.02 },
            schedule: { name: 'cosine', warmup: 0.1 },
          },
          controls: false,
        },
        teacher,
      );
      const companions = [memorySource('student.onnx', narrow)];
      const tools = memoryTools();
      const upload = { teacher: memorySource('teacher.onnx', teacher), companions, data: bertRows() };
      const { train, publish } = await runJourney({ ...request, upload }, tools);
      const read = async (hash: string) => new TextDecoder().decode(await tools.blobs.get(hash));
      const lines = (await read(train.log.hash)).trim().split('\n');
      const steps = lines
        .map((line): Record<string, number> => JSON.parse(line))
        .filter((line) => 'loss' in line);
      const [first, last] = [steps[0]!, steps.at(-1)!].map((line) => line[`term:${loss}`]!) as [
        number,
        number,
      ];
      assert.ok(last < 0.7 * first, `${first} to ${last}`);
      const report: Report = JSON.parse(
        await read(publish.artifacts.find(({ name }) => name === 'report.json')!.hash),
      );
      // Chance is a quarter.
      const { accuracy } = report.models.student!.metrics;
      assert.ok(Number(accuracy) > 0.8, `accuracy ${accuracy}`);
    });
  }
}
