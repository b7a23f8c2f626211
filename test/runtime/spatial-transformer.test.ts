import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { prepareTraining } from '../../src/core/onnx/passes/prepare-training.ts';
import { numbers, sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { trainableNames } from '../../src/core/program/trainable.ts';
import { Random } from '../../src/core/random.ts';
import { adoptStudent } from '../../src/pipeline/student/adopt-student.ts';
import { STUDENT_INPUT } from '../../src/pipeline/student/student-names.ts';
import { kernels } from '../support/kernels.ts';
import { runModel } from '../support/run-model.ts';
import { relativeError, train } from '../support/training.ts';

/** A student that looks where it chooses to: AffineGrid and GridSample of opset 20, as PyTorch exports them. */

const [PICTURE, CLASSES, BATCH] = [[1, 6, 5], 3, 8] as const;

const drawn = (dims: readonly number[], stream: string, scale = 1): Float32Array => {
  const random = new Random(4, stream);
  return Float32Array.from({ length: sizeOf(dims) }, () => scale * random.normal());
};

function spatialTransformer(aligned: number): Model {
  const b = new GraphBuilder({ '': 20 });
  const x = b.input('picture', 'float32', ['N', ...PICTURE]);
  const stored = (name: string, dims: readonly number[], values: Iterable<number>) =>
    b.initializer(name, tensor('float32', dims, Float32Array.from(values)));
  const cells = sizeOf(PICTURE);
  const flat = b.op('Flatten', [x], { axis: 1 });
  const where = stored('where.weight', [6, cells], drawn([6, cells], 'where', 0.02));
  const straight = stored('where.bias', [6], [0.8, 0.1, 0, 0.1, 0.8, 0]);
  const theta = b.op('Reshape', [b.op('Gemm', [flat, where, straight], { transB: 1 }), b.ints([-1, 2, 3])]);
  const grid = b.op('AffineGrid', [theta, b.op('Shape', [x])], { align_corners: aligned });
  const seen = b.op('GridSample', [x, grid], { mode: 'linear', align_corners: aligned });
  const weight = stored('what.weight', [CLASSES, cells], drawn([CLASSES, cells], 'what', 0.2));
  const bias = stored('what.bias', [CLASSES], drawn([CLASSES], 'bias', 0.1));
  const scores = b.op('Gemm', [b.op('Flatten', [seen], { axis: 1 }), weight, bias], { transB: 1 });
  b.output(b.op('LeakyRelu', [scores], { alpha: float(1) }, { outputs: ['scores'] }));
  return b.model('spatial-transformer');
}

for (const aligned of [0, 1]) {
  const model = spatialTransformer(aligned);

  test(`AffineGrid is written in older operators, corners ${aligned ? 'aligned' : 'not aligned'}`, async () => {
    const prepared = prepareTraining(model);
    const picture = { dtype: 'float32' as const, dims: [2, ...PICTURE], data: drawn([2, ...PICTURE], 'x') };
    const [before, after] = [await runModel(model, { picture }), await runModel(prepared, { picture })];
    const error = relativeError(after.scores!.data as Float32Array, before.scores!.data as Float32Array);
    assert.ok(error < 1e-5, `off by ${error}`);
  });

  test(`a spatial transformer trains alike on every kernel, corners ${aligned ? 'aligned' : 'not aligned'}`, async () => {
    const student = adoptStudent(
      model,
      {
        dims: PICTURE,
        dtype: 'float32',
        range: null,
        feeding: { input: { name: 'x', dtype: 'float32', shape: PICTURE }, constants: [] },
      },
      CLASSES,
    );
    assert.equal(trainableNames(student.graph).length, 4);
    const program = buildProgram({
      student,
      terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
      batchSize: BATCH,
      optimizer: { name: 'sgd', options: { learningRate: 0.1 } },
    });
    const pictures = drawn([BATCH, ...PICTURE], 'pictures');
    const labels = Float32Array.from({ length: BATCH * CLASSES }, (_, i) =>
      i % CLASSES === Math.floor(i / CLASSES) % CLASSES ? 1 : 0,
    );
    const batch = () => ({ [STUDENT_INPUT]: pictures, labels });
    const runs = [];
    for (const kernel of kernels) runs.push(await train(kernel, program, batch, [15]));
    const [first, second] = runs.map(({ loss }) => loss);
    assert.ok(first!.at(-1)! < 0.7 * first![0]!, `the loss falls: ${first}`);
    first!.forEach((loss, step) => {
      assert.ok(Math.abs(loss - second![step]!) < 1e-3, `step ${step}: ${loss} and ${second![step]}`);
    });
    const where = [...runs[0]!.snapshot.tensors].find(([name]) => name.endsWith('where.weight'))![1];
    const start = drawn([6, sizeOf(PICTURE)], 'where', 0.02);
    assert.ok(relativeError(numbers(where), start) > 0.01, 'where it looks is learned');
  });
}
