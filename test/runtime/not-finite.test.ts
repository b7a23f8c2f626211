import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { joinModels } from '../../src/core/onnx/join.ts';
import type { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { memorySource } from '../support/data-files.ts';
import { memoryTools, tinyPictures, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** A teacher that divides by the sum of a picture, and test pictures of which some are black. */

const BLACK = [3, 50, 51];

/** The tiny teacher behind x / sum(x) * sum(x): the same, and not a number where all pixels are 0. */
function dividing(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('pixels', 'float32', ['N', 1, 8, 8]);
  const sum = b.op('ReduceSum', [x, b.ints([1, 2, 3])], { keepdims: 1 });
  b.output(b.op('Mul', [b.op('Div', [x, sum]), sum], {}, { outputs: ['again'] }));
  return encodeModel(
    joinModels(b.model('dividing'), decodeModel(tinyTeacher()), { connect: { picture: 'again' } }),
  );
}

async function blackened(rows: readonly number[]) {
  const files = tinyPictures();
  const at = files.findIndex(({ name }) => name === 't10k-images-idx3-ubyte');
  const parts: Uint8Array[] = [];
  for await (const part of files[at]!.stream()) parts.push(part);
  const bytes = Buffer.concat(parts);
  for (const row of rows) bytes.fill(0, 16 + row * 64, 16 + (row + 1) * 64);
  return files.with(at, memorySource('t10k-images-idx3-ubyte', bytes));
}

async function reportOf(
  rows: readonly number[],
  changes: object,
  teacher = dividing(),
  companions: Readonly<Record<string, Uint8Array>> = {},
): Promise<Report> {
  const tools = memoryTools();
  const train = { kernel: 'onnxruntime', epochs: 2, batchSize: 32 };
  const request = tinyRequest(tinySpec({ train, controls: false, ...changes }), teacher, companions);
  const upload = { ...request.upload, data: await blackened(rows) };
  const { publish } = await runJourney({ ...request, upload } as typeof request, tools);
  const { hash } = publish.artifacts.find(({ name }) => name === 'report.json')!;
  return JSON.parse(new TextDecoder().decode(await tools.blobs.get(hash)));
}

test('test rows that a teacher gives no finite scores are left out for all models, and the report counts them', async () => {
  const words =
    'the teacher gives 3 of 120 test rows scores that are infinite or not a number; all figures are on the 117 rows without such scores';
  const report = await reportOf(BLACK, { seeds: 2 });
  assert.deepEqual(report.warnings, [words]);
  assert.equal(report.rows, 117);
  for (const { metrics } of [report.models.teacher!, report.models.student!]) {
    for (const name of ['accuracy', 'agreement', 'klToTeacher', 'ece']) {
      assert.ok(Number.isFinite(metrics[name]), `${name}: ${metrics[name]}`);
    }
  }
  assert.ok(Number(report.models.teacher!.metrics.accuracy) > 0.95);
  for (const { student } of report.seeds!.runs) assert.ok(Number.isFinite(student.klToTeacher));
});

test('so it is with a further teacher, by its name', async () => {
  const strategy = { name: 'ensemble', teachers: [{ file: 'second.onnx' }] };
  const report = await reportOf(BLACK, { strategy }, tinyTeacher(), { 'second.onnx': dividing() });
  assert.equal(report.warnings.length, 1);
  assert.match(
    report.warnings[0]!,
    /^further teacher "second\.onnx" gives 3 of 120 test rows .* the 117 rows/,
  );
  assert.ok(Number.isFinite(report.models.ensemble!.metrics.ece));
  assert.equal(report.ensemble!.teachers[0]!.rows, 117);
});

test('a teacher without any finite scores on the test rows is refused', async () => {
  const all = Array.from({ length: 120 }, (_, row) => row);
  await assert.rejects(
    reportOf(all, {}),
    (error: RetortError) => error.code === 'TEACHER_NOT_FINITE' && /120 of 120 rows/.test(error.message),
  );
});
