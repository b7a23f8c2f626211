import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import type { Model, Shape } from '../../src/core/onnx/model.ts';
import { inferenceMode } from '../../src/core/onnx/passes/inference-mode.ts';
import { applyPass } from '../../src/core/onnx/passes/pass.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { decodeSnapshot } from '../../src/core/program/safetensors.ts';
import { Random } from '../../src/core/random.ts';
import type { Source } from '../../src/data/format.ts';
import type { RetortError } from '../../src/errors.ts';
import { Scorer } from '../../src/pipeline/logits/scorer.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { adoptStudent } from '../../src/pipeline/student/adopt-student.ts';
import { shipStudent } from '../../src/pipeline/student/ship-student.ts';
import { STUDENT_INPUT, STUDENT_LOGITS } from '../../src/pipeline/student/student-names.ts';
import { withSnapshot } from '../../src/pipeline/student/trained-model.ts';
import { constantTensor } from '../../src/pipeline/teacher/constant-tensor.ts';
import { planTeacher } from '../../src/pipeline/teacher/plan-teacher.ts';
import { bertLike, bertRows } from '../support/bert-like.ts';
import { memorySource, npyOf } from '../support/data-files.ts';
import { kernels } from '../support/kernels.ts';
import { realModels } from '../support/real-models.ts';
import { memoryTools, tinyRequest } from '../support/tiny-job.ts';

/** Teachers and students on token ids, through the whole journey. */

const teachers = {
  int64: bertLike({ layers: 2, width: 16, seed: 1 }),
  int32: bertLike({ layers: 2, width: 16, seed: 1, dtype: 'int32' }),
} as const;
const untrained = { layers: 1, width: 8, seed: 2, untrained: true } as const;
const students = {
  int64: bertLike(untrained),
  int32: bertLike({ ...untrained, dtype: 'int32' }),
} as const;

interface Job {
  readonly teacher?: Uint8Array;
  /** Uploaded; without one, the spec's. */
  readonly student?: Uint8Array;
  readonly data?: readonly Source[];
  readonly kernel?: string;
  readonly train?: object;
  readonly spec?: object;
}

async function distilled({
  teacher = teachers.int64,
  student,
  data = bertRows(),
  kernel = 'onnxruntime',
  train,
  spec,
}: Job) {
  const request = tinyRequest(
    {
      version: 1,
      student: student ? { model: 'student.onnx' } : { architecture: 'mlp', hidden: [8] },
      train: {
        kernel,
        epochs: 12,
        batchSize: 32,
        optimizer: { name: 'adamw', learningRate: 0.02 },
        schedule: { name: 'cosine', warmup: 0.1 },
        ...train,
      },
      controls: false,
      ...spec,
    },
    teacher,
  );
  const companions = student ? [memorySource('student.onnx', student)] : [];
  const upload = { teacher: memorySource('teacher.onnx', teacher), companions, data };
  const tools = memoryTools();
  const asked: string[] = [];
  const observer = { stage: (name: string) => void asked.push(name) };
  const results = runJourney({ ...request, upload, observer }, tools);
  const artifact = async (name: string): Promise<Uint8Array> =>
    tools.blobs.get((await results).publish.artifacts.find((each) => each.name === name)!.hash);
  const report = async (): Promise<Report> =>
    JSON.parse(new TextDecoder().decode(await artifact('report.json')));
  return { results, asked, artifact, report, tools };
}

/** How a teacher on ids alone is fed. */
const feeding = { input: { name: 'ids', dtype: 'int64', shape: [8] }, constants: [] } as const;

const cpu = { device: 'cpu', threads: 1 } as const;

for (const kernel of kernels) {
  for (const [teacher, student] of [
    ['int64', 'int64'],
    ['int32', 'int32'],
    ['int64', 'int32'],
  ] as const) {
    test(`${kernel.name}: a student on ${student} ids takes the place of a teacher on ${teacher} ids`, async () => {
      const job = await distilled({
        teacher: teachers[teacher],
        student: students[student],
        data: bertRows({ descr: teacher === 'int64' ? '<i8' : '<i4' }),
        kernel: kernel.name,
      });
      const { train } = await job.results;
      // Chance is a quarter.
      const { models, warnings } = await job.report();
      assert.ok(Number(models.student!.metrics.accuracy) > 0.8, `${models.student!.metrics.accuracy}`);
      assert.deepEqual(warnings, []);

      const exported = await job.artifact('student.onnx');
      const [given, own] = [
        await onnxruntime.open(teachers[teacher], cpu),
        await onnxruntime.open(exported, cpu),
      ];
      assert.deepEqual(own.inputs, given.inputs);
      assert.deepEqual(
        own.outputs.map(({ name, dtype, shape }) => [name, dtype, shape?.length]),
        given.outputs.map(({ name, dtype, shape }) => [name, dtype, shape?.length]),
      );
      // Ids come as they are: no way through float32, which would round those beyond 2^24.
      const casts = decodeModel(exported).graph.nodes.filter(({ op }) => op === 'Cast');
      assert.equal(casts.length, teacher === student ? 0 : 1);

      // Against the graph that was trained, whose rows are float32.
      const fed = { dims: [8], dtype: teacher, range: null, feeding } as const;
      const state = decodeSnapshot(await job.tools.blobs.get(train.snapshot.hash));
      const trained = withSnapshot(adoptStudent(decodeModel(students[student]), fed, 4), state, false);
      const before = await onnxruntime.open(encodeModel(applyPass(inferenceMode, trained, {})), cpu);
      const random = new Random(8, 'ids');
      const ids = Array.from({ length: 5 * 8 }, () => random.int(20));
      const data = teacher === 'int64' ? BigInt64Array.from(ids, BigInt) : Int32Array.from(ids);
      const { scores } = await own.run({ ids: { dtype: teacher, dims: [5, 8], data } });
      const rows = { dtype: 'float32', dims: [5, 8], data: Float32Array.from(ids) } as const;
      const logits = (await before.run({ [STUDENT_INPUT]: rows }))[STUDENT_LOGITS]!.data as Float32Array;
      logits.forEach((value, i) => {
        assert.ok(Math.abs(value - (scores!.data as Float32Array)[i]!) < 1e-5);
      });
      for (const session of [given, own, before]) await session.close();
    });
  }
}

test('a student of ours on ids is warned of', async () => {
  const job = await distilled({ train: { epochs: 1 } });
  const { warnings } = await job.report();
  assert.match(warnings.join('\n'), /"ids" holds ids .*"words", 20 rows.* upload one with an embedding/);
});

const refused: Readonly<Record<string, readonly [Job, code: string, message: RegExp]>> = {
  'an id without a row in the teacher': [
    { student: students.int64, data: bertRows({ odd: 25 }) },
    'DATA_MISMATCH',
    /input ids: row 3 of the dataset holds 25, the teacher's table "words" has 20 rows/,
  ],
  'the same under a student of ours': [
    { data: bertRows({ odd: -21 }) },
    'DATA_MISMATCH',
    /row 3 of the dataset holds -21/,
  ],
  'fractions for int64': [
    { student: students.int64, data: bertRows({ descr: '<f4', odd: 2.5 }) },
    'DATA_MISMATCH',
    /input ids takes whole numbers \(int64\), row 3 of column ids holds 2.5/,
  ],
  'fractions for int32': [
    { teacher: teachers.int32, student: students.int64, data: bertRows({ descr: '<f4', odd: 2.5 }) },
    'DATA_MISMATCH',
    /\(int32\), row 3 of column ids holds 2.5/,
  ],
  'an id that would wrap': [
    { teacher: teachers.int32, student: students.int64, data: bertRows({ odd: 2 ** 32 + 1 }) },
    'DATA_MISMATCH',
    /holds 4294967297/,
  ],
  'a scale': [
    { teacher: teachers.int32, spec: { inputs: { ids: { scale: 0.5 } } }, data: bertRows({ descr: '<i4' }) },
    'DATA_MISMATCH',
    /whole numbers \(int32\), which are not scaled/,
  ],
  mixup: [
    { student: students.int64, train: { augment: [{ name: 'mixup' }] } },
    'SPEC_INVALID',
    /whole numbers \(int64\), so its rows cannot be mixed/,
  ],
  flips: [
    { student: students.int64, train: { augment: [{ name: 'flip' }] } },
    'SPEC_INVALID',
    /holds no pictures/,
  ],
};
for (const [name, [job, code, message]] of Object.entries(refused)) {
  test(`${name}: refused before the teacher is asked for soft targets`, async () => {
    const { results, asked } = await distilled(job);
    await assert.rejects(results, (error: RetortError) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(error.hint);
      return true;
    });
    assert.ok(!asked.includes('match'));
  });
}

test('floats that are whole numbers are ids', async () => {
  const data = bertRows({ descr: '<f4' });
  const { report } = await distilled({ student: students.int64, data });
  assert.ok(Number((await report()).models.student!.metrics.accuracy) > 0.8);
});

test('what a student cannot take of the numbers is refused by name', () => {
  const student = decodeModel(students.int64);
  const range = (least: number, greatest: number) => ({
    least: { value: least, row: 4 },
    greatest: { value: greatest, row: 5 },
  });
  for (const [fed, message] of [
    [{ dtype: 'float32', range: null }, /takes int64, the teacher numbers with fractions/],
    [{ dtype: 'int64', range: range(0, 20) }, /20 rows in its table ".*words", row 5 .* the id 20/],
    [{ dtype: 'int64', range: range(-21, 3) }, /20 rows in its table ".*words", row 4 .* the id -21/],
    [{ dtype: 'int64', range: range(0, 2 ** 24 + 1) }, /row 5 of the dataset holds 16777217: .* rounded/],
  ] as const) {
    assert.throws(
      () => adoptStudent(student, { dims: [8], feeding, ...fed }, 4),
      (error: RetortError) => {
        assert.equal(error.code, 'STUDENT_UNFIT');
        assert.match(error.message, message);
        return true;
      },
    );
  }
  adoptStudent(student, { dims: [8], dtype: 'int64', range: range(-20, 19), feeding }, 4);
});

const masked = (mask: 'float32' | 'int64') => ({
  teacher: bertLike({ layers: 2, width: 16, seed: 1, mask }),
  student: bertLike({ ...untrained, mask }),
});

for (const kernel of kernels) {
  for (const [mask, constant] of [
    ['int64', [1]],
    // Floats in a graph are trained, but not those: the export would differ.
    ['float32', [1, 1, 1, 1, 1, 1, 1, 0.5]],
  ] as const) {
    test(`${kernel.name}, ${mask}: a student with a mask takes the place of a teacher with one`, async () => {
      const { teacher, student } = masked(mask);
      const spec = { inputs: { mask: { constant } } };
      const job = await distilled({ teacher, student, kernel: kernel.name, spec });
      const { inspect, train } = await job.results;
      const { models, warnings } = await job.report();
      assert.ok(Number(models.student!.metrics.accuracy) > 0.8, `${models.student!.metrics.accuracy}`);
      assert.deepEqual(warnings, []);

      const given = await onnxruntime.open(teacher, cpu);
      const own = await onnxruntime.open(await job.artifact('student.onnx'), cpu);
      assert.deepEqual(own.inputs, given.inputs);

      // The trained graph holds its mask: one for each mask that the exported student is fed.
      const state = decodeSnapshot(await job.tools.blobs.get(train.snapshot.hash));
      const random = new Random(8, 'ids');
      const ids = Array.from({ length: 5 * 8 }, () => random.int(20));
      const found: string[] = [];
      for (const values of [constant, [1, 1, 1, 0, 0, 1, 1, 0]]) {
        const constants = inspect.plan.constants.map((each) => ({ ...each, values }));
        const fed = { dims: [8], dtype: 'int64', range: null, feeding: { ...feeding, constants } } as const;
        const trained = withSnapshot(adoptStudent(decodeModel(student), fed, 4), state, false);
        const before = await onnxruntime.open(encodeModel(applyPass(inferenceMode, trained, {})), cpu);
        const rows = { dtype: 'float32', dims: [5, 8], data: Float32Array.from(ids) } as const;
        const logits = (await before.run({ [STUDENT_INPUT]: rows }))[STUDENT_LOGITS]!.data as Float32Array;
        const shown = Array.from(ids, (_, i) => values[i % values.length]!);
        const { scores } = await own.run({
          ids: { dtype: 'int64', dims: [5, 8], data: BigInt64Array.from(ids, BigInt) },
          mask:
            mask === 'int64'
              ? { dtype: mask, dims: [5, 8], data: BigInt64Array.from(shown, BigInt) }
              : { dtype: mask, dims: [5, 8], data: Float32Array.from(shown) },
        });
        logits.forEach((value, i) => {
          assert.ok(Math.abs(value - (scores!.data as Float32Array)[i]!) < 1e-5);
        });
        found.push(logits.join());
        await before.close();
      }
      assert.notEqual(found[0], found[1]);
      for (const session of [given, own]) await session.close();
    });
  }
}

test('a further input that the teacher gives nothing for, or something else, is refused by name', async () => {
  const { student } = masked('int64');
  const alone = await distilled({ student });
  await assert.rejects(alone.results, (error: RetortError) => {
    assert.equal(error.code, 'STUDENT_UNFIT');
    assert.match(error.message, /further input "mask", and the teacher's of that name gets no constant/);
    assert.match(error.hint!, /inputs: {"mask": {"constant": \[1\]}}.* export the student without it/);
    return true;
  });

  const mask = { name: 'mask', dtype: 'int64', dims: [-1, 8], values: [1] } as const;
  for (const [constant, message] of [
    [{ ...mask, dtype: 'int32' }, /takes "mask" as int64 \[N, 8\], the teacher's .* gets int32 \[N, 8\]/],
    [{ ...mask, dims: [-1, 4] }, /takes "mask" as int64 \[N, 8\], .* gets int64 \[N, 4\]/],
    [{ ...mask, dims: [3, 8] }, /gets int64 \[3, 8\]/],
    [{ ...mask, dims: [-1] }, /gets int64 \[N\]/],
  ] as const) {
    const fed = {
      dims: [8],
      dtype: 'int64',
      range: null,
      feeding: { ...feeding, constants: [constant] },
    } as const;
    assert.throws(
      () => adoptStudent(decodeModel(student), fed, 4),
      (error: RetortError) => {
        assert.equal(error.code, 'STUDENT_UNFIT');
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

/** The same graph with other dimensions written at its inputs. */
function declared(bytes: Uint8Array, shape: Shape): Model {
  const model = decodeModel(bytes);
  const inputs = model.graph.inputs.map((input) => ({ ...input, shape }));
  return { ...model, graph: { ...model.graph, inputs } };
}

for (const [name, own, shape, maskRows] of [
  ['as long as the rows', ['batch', 'length'], ['N', 'T'], 5],
  ['of one row for all', [1, 8], ['N', 8], 1],
] as const) {
  test(`a mask ${name} is fed to teacher and student, and read by the exported one`, async () => {
    const { teacher: bytes, student: untrainedBytes } = masked('int64');
    const teacher = declared(bytes, own);
    const { plan: planned, tapped } = planTeacher(teacher, { inputs: { mask: { constant: [1] } } });
    const plan = { ...planned, model: { hash: '', bytes: 0 } };
    const ids = { dims: [5, 8], data: Float32Array.from({ length: 40 }, (_, i) => i % 20) } as const;
    const rows = { dtype: 'float32', ...ids } as const;
    // A mean over tokens by a mask [N, 1] would be a sum.
    const scorer = new Scorer(await onnxruntime.open(encodeModel(tapped), cpu), plan);
    const plain = await onnxruntime.open(teachers.int64, cpu);
    const whole = { dtype: 'int64', dims: ids.dims, data: BigInt64Array.from(ids.data, BigInt) } as const;
    const bare = (await plain.run({ ids: whole })).scores!.data as Float32Array;
    (await scorer.logits(rows)).forEach((value, i) => {
      assert.ok(Math.abs(value - bare[i]!) < 1e-4);
    });

    const fed = { dims: [8], dtype: 'int64', range: null, feeding: plan } as const;
    const student = adoptStudent(declared(untrainedBytes, shape), fed, 4);
    const shipped = await onnxruntime.open(encodeModel(shipStudent(student, teacher, plan).model), cpu);
    const before = await onnxruntime.open(encodeModel(student), cpu);
    const logits = (await before.run({ [STUDENT_INPUT]: rows }))[STUDENT_LOGITS]!.data as Float32Array;
    const scoresBy = async (shown: bigint) => {
      const data = new BigInt64Array(maskRows * 8).fill(1n);
      data[7] = shown;
      const mask = { dtype: 'int64', dims: [maskRows, 8], data } as const;
      return (await shipped.run({ ids: whole, mask })).scores!.data as Float32Array;
    };
    const found = await scoresBy(1n);
    logits.forEach((value, i) => {
      assert.ok(Math.abs(value - found[i]!) < 1e-5);
    });
    assert.notDeepEqual((await scoresBy(0n)).subarray(0, 4), found.subarray(0, 4));
    for (const session of [scorer, plain, shipped, before]) await session.close();
  });
}

test('a constant that its input cannot hold, or an id that the student has no row for, is refused', () => {
  assert.throws(
    () => planTeacher(decodeModel(masked('int64').teacher), { inputs: { mask: { constant: [0.5] } } }),
    (error: RetortError) =>
      error.code === 'SPEC_INVALID' && /mask\/constant: .* \(int64\), not 0.5/.test(error.message),
  );
  const uneven = { name: 'mask', dtype: 'int64', dims: [-1, 8], values: [1, 1, 0] } as const;
  assert.throws(() => constantTensor(uneven, [3, 8]), {
    code: 'SPEC_INVALID',
    message: /mask\/constant: 3 numbers for a row of 8/,
  });
  const b = new GraphBuilder();
  const table = (name: string, rows: number) =>
    b.initializer(name, tensor('float32', [rows, 4], new Float32Array(4 * rows)));
  const word = b.op('Gather', [table('words', 20), b.input('ids', 'int64', ['N', 8])]);
  const type = b.op('Gather', [table('types', 2), b.input('types_of', 'int64', ['N', 8])]);
  b.output(b.op('ReduceSum', [b.op('Add', [word, type]), b.ints([1])], { keepdims: 0 }));
  const student = b.model('typed');
  const adopted = (id: number) => {
    const constants = [{ name: 'types_of', dtype: 'int64', dims: [-1, -2], values: [0, id] }] as const;
    return adoptStudent(
      student,
      { dims: [8], dtype: 'int64', range: null, feeding: { ...feeding, constants } },
      4,
    );
  };
  adopted(1);
  assert.throws(
    () => adopted(2),
    (error: RetortError) =>
      error.code === 'STUDENT_UNFIT' &&
      /2 rows in its table "types", "types_of" gets the id 2/.test(error.message),
  );
});

test('an exported student reads ids beyond 2^24 unrounded', async () => {
  const b = new GraphBuilder();
  const ids = b.input('ids', 'int64', ['N', 1]);
  const table = b.initializer('table', tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]));
  const found = b.op('Gather', [table, b.op('Mod', [ids, b.constant(3, 'int64')])]);
  b.output(b.op('Flatten', [found], {}, { outputs: ['scores'] }));
  const teacher = b.model('hashed');
  const { plan } = planTeacher(teacher, { inputs: {} });
  const student = adoptStudent(teacher, { dims: [1], dtype: 'int64', range: null, feeding }, 2);
  const { model } = shipStudent(student, teacher, { ...plan, model: { hash: '', bytes: 0 } });
  const session = await onnxruntime.open(encodeModel(model), cpu);
  // As float32 both would be 2^24, which is 1 modulo 3.
  const data = BigInt64Array.of(2n ** 24n, 2n ** 24n + 1n);
  const { scores } = await session.run({ ids: { dtype: 'int64', dims: [2, 1], data } });
  assert.deepEqual(scores!.data, Float32Array.of(3, 4, 5, 6));
  await session.close();
});

const real = new Map(realModels().map((model) => [model.name, model]));

interface Counting {
  readonly name: string;
  readonly tokens: number;
  readonly words: number;
  readonly classes: number;
}

/** [N, tokens] ids to [N, classes]: how often each class is among them; with a mask, only where it is 1. */
function counter({ name, tokens, words, classes }: Counting, mask?: string): Uint8Array {
  const b = new GraphBuilder();
  const one = Float32Array.from({ length: sizeOf([words, classes]) }, (_, i) =>
    Math.floor(i / classes) === i % classes ? 1 : 0,
  );
  const found = b.op('Gather', [
    b.initializer('words', tensor('float32', [words, classes], one)),
    b.input(name, 'int64', ['N', tokens]),
  ]);
  const shown = mask && b.op('Cast', [b.input(mask, 'int64', ['N', tokens])], { to: 1 });
  const counted = shown ? b.op('Mul', [found, b.op('Unsqueeze', [shown, b.ints([2])])]) : found;
  b.output(b.op('ReduceSum', [counted, b.ints([1])], { keepdims: 0 }, { outputs: ['y'] }));
  return encodeModel(b.model('count'));
}

/** Rows in which the class stands up to three times among words that are none. */
function countedRows({ name, tokens, words, classes }: Counting): Source[] {
  return Object.entries({ train: 360, test: 120 }).flatMap(([split, rows]) => {
    const random = new Random(5, split);
    const ids = BigInt64Array.from({ length: rows * tokens }, () =>
      BigInt(classes + random.int(words - classes)),
    );
    const labels = Uint8Array.from({ length: rows }, (_, row) => row % classes);
    labels.forEach((label, row) => {
      for (let k = 0; k < 3; k++) ids[row * tokens + random.int(tokens)] = BigInt(label);
    });
    return [
      memorySource(`${name}_${split}.npy`, npyOf('<i8', [rows, tokens], ids)),
      memorySource(`y_${split}.npy`, npyOf('|u1', [rows], labels)),
    ];
  });
}

const skip = (!real.has('textcnn') || !real.has('bert_like')) && 'no shared fixtures';

test('a text CNN as PyTorch exports it', { skip }, async () => {
  const counting = { name: 'x', tokens: 20, words: 30, classes: 6 };
  const student = encodeModel(real.get('textcnn')!.load());
  const data = countedRows(counting);
  const { report, artifact } = await distilled({ teacher: counter(counting), student, data });
  assert.ok(Number((await report()).models.student!.metrics.accuracy) > 0.8);
  const [input] = decodeModel(await artifact('student.onnx')).graph.inputs;
  assert.deepEqual([input!.name, input!.dtype, input!.shape], ['x', 'int64', ['N', 20]]);
});

for (const kernel of kernels) {
  test(`${kernel.name}: a BERT with a mask as PyTorch exports it`, { skip }, async () => {
    const counting = { name: 'ids', tokens: 12, words: 40, classes: 3 };
    const student = encodeModel(real.get('bert_like')!.load());
    const { report, artifact } = await distilled({
      teacher: counter(counting, 'mask'),
      student,
      data: countedRows(counting),
      kernel: kernel.name,
      train: { optimizer: { name: 'adamw', learningRate: 0.002 } },
      spec: { inputs: { mask: { constant: [1] } } },
    });
    const { accuracy } = (await report()).models.student!.metrics;
    assert.ok(Number(accuracy) > 0.8, `${accuracy}`);
    const { inputs } = decodeModel(await artifact('student.onnx')).graph;
    assert.deepEqual(
      inputs.map(({ name, dtype, shape }) => [name, dtype, shape]),
      ['ids', 'mask'].map((name) => [name, 'int64', ['N', 12]]),
    );
  });
}
