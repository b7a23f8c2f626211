import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unfoldBatchNorm } from '../../bench/methods/unfold-batch-norm.ts';
import { writeDataset } from '../../examples/shapes/write-dataset.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { Random } from '../../src/core/random.ts';
import type { Source } from '../../src/data/format.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import { memorySource } from '../support/data-files.ts';
import { memoryTools } from '../support/tiny-job.ts';

/**
 * The examples of strategies, of losses on layers and of `method: "auto"` are for the teacher of the demo; each is run dry on
 * a few of its pictures. Further teachers they name are that one again, and where its statistics are
 * asked for it has its batch normalisation back.
 */

/** For a teacher with attention, and run through in transformer-features.test.ts. */
const OTHER = 'features-transformer.json';
const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const names = readdirSync(`${examples}specs`).filter(
  (name) => /^(strategy|features|method)-/.test(name) && name !== OTHER,
);
const folder = mkdtempSync(join(tmpdir(), 'retort-strategies-'));
const here = { available: true };
let pictures: Source;

before(async () => {
  const path = join(folder, 'pictures.zip');
  await writeDataset(path, { seed: 1, train: 8, validation: 2, test: 2, unlabelled: 8 });
  pictures = memorySource('pictures.zip', readFileSync(path));
});
after(() => rmSync(folder, { recursive: true }));

/** Half a second a look: every pace is known after the first steps. */
function hasty() {
  let now = 0;
  return { now: () => Date.now(), precise: () => (now += 500) };
}

const teacher = readFileSync(`${examples}shapes/teacher.onnx`);
/** The teacher with batch normalisation, whose statistics are those of noise. */
async function unfolded(): Promise<Uint8Array> {
  const random = new Random(0, 'pixels');
  const data = Float32Array.from({ length: 8 * 3 * 24 * 24 }, () => random.normal());
  const rows = { dtype: 'float32', dims: [8, 3, 24, 24], data } as const;
  return encodeModel(await unfoldBatchNorm(decodeModel(teacher), [rows], onnxruntime));
}
interface Named {
  readonly file: string;
}
const furtherFiles = ({ teachers = [], clients = [] }: { teachers?: Named[]; clients?: Named[] } = {}) =>
  [...teachers, ...clients].map(({ file }) => file);

// One store, so that the dataset is decoded once.
const tools = { ...memoryTools(), clock: hasty() };

test('there are examples', () => assert.ok(names.length > 15));

for (const name of names) {
  test(`${name}: a dry run finds nothing wrong, and counts what it would take`, async () => {
    const written = JSON.parse(readFileSync(`${examples}specs/${name}`, 'utf8'));
    const requested = parseSpec({
      ...written,
      train: { ...written.train, kernel: 'onnxruntime', batchSize: 16 },
    });
    const request = {
      upload: {
        teacher: memorySource(
          'teacher.onnx',
          written.strategy?.name === 'data-free' ? await unfolded() : teacher,
        ),
        companions: furtherFiles(written.strategy).map((file) => memorySource(file, teacher)),
        data: [pictures],
      },
      requested,
      spec: resolveSpec(requested, { kernels: { onnxruntime: here }, devices: { cpu: here } }),
      signal: new AbortController().signal,
    };
    const { student, estimate } = await validateJob(request, tools, () => 1);
    assert.ok(student.parameters > 1000);
    // Where the method is left open, choosing it trains the student.
    assert.ok(estimate.seconds[written.method === 'auto' ? 'choose' : 'train'] > 0);
    assert.ok(Number.isFinite(estimate.seconds.total));
  });
}
