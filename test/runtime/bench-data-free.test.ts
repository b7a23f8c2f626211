import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { METHODS } from '../../bench/methods/methods.ts';
import { normalizedTeacher } from '../../bench/methods/normalized-teacher.ts';
import { readSetting, specOf } from '../../bench/methods/setting.ts';
import { unfoldBatchNorm } from '../../bench/methods/unfold-batch-norm.ts';
import { fileSource } from '../../src/adapters/files/file-source.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { numbers } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import { unpack } from '../../src/data/archives/unpack.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import { zipOf } from '../support/data-files.ts';
import { fixture } from '../support/fixtures.ts';
import { memoryTools } from '../support/tiny-job.ts';

/** The row of the bench whose teacher gets its batch normalisation back. */

function noise(rows: number, side: number, seed: number) {
  const random = new Random(seed, 'pixels');
  const data = Float32Array.from({ length: rows * 3 * side * side }, () => random.normal());
  return { dtype: 'float32' as const, dims: [rows, 3, side, side], data };
}

async function answers(model: Model, rows: ReturnType<typeof noise>): Promise<number[]> {
  const session = await onnxruntime.open(encodeModel(model), { device: 'cpu', threads: 1 });
  const output = model.graph.outputs[0]!.name;
  const made = await session.run({ [model.graph.inputs[0]!.name]: rows }, [output]);
  await session.close();
  return Array.from(made[output]!.data as Float32Array);
}

const furthest = (one: readonly number[], other: readonly number[]): number =>
  Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));

test('a model with its batch normalisation put back answers as before, and keeps the statistics of all batches', async () => {
  const path = fileURLToPath(new URL('../../examples/shapes/teacher.onnx', import.meta.url));
  const folded = decodeModel(readFileSync(path));
  const [first, second] = [noise(5, 24, 1), noise(3, 24, 2)];
  const both = { ...first, dims: [8, 3, 24, 24], data: Float32Array.of(...first.data, ...second.data) };
  const [cut, whole] = await Promise.all(
    [[first, second], [both]].map((batches) => unfoldBatchNorm(folded, batches, onnxruntime)),
  );
  const kept = [...cut!.graph.initializers].filter(([name]) => /\.(mean|var)$/.test(name));
  assert.ok(kept.length > 0 && kept.length === 2 * cut!.graph.nodes.filter(isNormal).length);
  for (const [name, value] of kept) {
    assert.ok(furthest(numbers(value), numbers(whole!.graph.initializers.get(name)!)) < 1e-4, name);
  }
  assert.ok(furthest(await answers(cut!, both), await answers(folded, both)) < 1e-3);
});

const isNormal = ({ op }: { readonly op: string }): boolean => op === 'BatchNormalization';

const teacher = fixture('fixtures/teachers/cifar10-resnet56-derived/model.onnx');
const pictures = fixture('fixtures/data/cifar10.zip');

/** Some of the pictures, so that decoding them takes no time. */
async function fewPictures(from: string): Promise<Uint8Array> {
  const source = await fileSource(from);
  const files: (readonly [string, Uint8Array])[] = [];
  for await (const entry of (await unpack([source])).entries()) {
    if (/\/00[01]\d\.jpg$/.test(entry.path)) files.push([entry.path, await entry.read()]);
  }
  await source.close();
  return zipOf(files);
}

test('the row data-free: the teacher of the bench is taken with its statistics, and a dry run counts what it would take', {
  skip: teacher && pictures ? false : 'no shared fixtures here',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'retort-data-free-'));
  try {
    const data = join(folder, 'few.zip');
    writeFileSync(data, await fewPictures(pictures!));
    const full = await readSetting({ kernel: 'onnxruntime' });
    const part = (from: number, to: number) => ({ from: 'train', perClass: [from, to] });
    const splits = { train: part(0, 12), validation: part(12, 20), test: { from: 'test' } };
    const setting = { ...full, base: { ...full.base, data: splits } };
    const request = { teacher: teacher!, data: [data], store: join(folder, 'store') };
    const stopped = AbortSignal.abort();
    assert.equal(await normalizedTeacher(request, setting, folder, stopped), undefined);
    const path = await normalizedTeacher(request, setting, folder, new AbortController().signal);
    const [folded, unfolded] = [teacher!, path!].map((file) => decodeModel(readFileSync(file)));
    assert.equal(unfolded!.graph.nodes.filter(isNormal).length, 57);
    const rows = noise(4, 32, 3);
    assert.ok(furthest(await answers(unfolded!, rows), await answers(folded!, rows)) < 1e-2);

    const row = METHODS.find(({ needsStatistics }) => needsStatistics)!;
    const requested = parseSpec(specOf(row, setting, 0));
    const here = { available: true };
    const validate = async (file: string) => {
      const sources = [await fileSource(file), await fileSource(data)] as const;
      const upload = { teacher: sources[0], companions: [], data: [sources[1]] };
      const spec = resolveSpec(requested, { kernels: { onnxruntime: here }, devices: { cpu: here } });
      const signal = new AbortController().signal;
      try {
        return await validateJob({ upload, requested, spec, signal }, memoryTools(), () => 1);
      } finally {
        for (const source of sources) await source.close();
      }
    };
    const { dataset, estimate } = await validate(path!);
    assert.equal(dataset.splits.train.rows, 1024);
    assert.ok(estimate.seconds.teach > 60 && Number.isFinite(estimate.seconds.total));
    await assert.rejects(validate(teacher!), /no BatchNormalization with its statistics/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
