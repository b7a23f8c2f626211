// Makes teacher.onnx and its hash: a ResNet-8 trained on 4,800 labelled pictures by Retort itself.
// usage: npx tsx examples/shapes/train-teacher.ts
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { students } from '../../src/core/students/index.ts';
import { classNames } from './classes.ts';
import { SIZE } from './draw.ts';
import { retort } from './retort.ts';
import { writeDataset } from './write-dataset.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'retort-teacher-'));
const at = (name: string) => join(work, name);

await writeDataset(at('pictures.zip'), { seed: 1, train: 600, validation: 50, test: 100, unlabelled: 0 });

// The journey needs a teacher for the shape of input and output. This one knows nothing, and no loss reads it.
const port = { input: 'pixels', inputShape: [3, SIZE, SIZE], output: 'scores', classes: classNames.length };
writeFileSync(at('untrained.onnx'), encodeModel(students.mlp.build(port, { hidden: [], dropout: 0 }, 0)));
const spec = {
  version: 1,
  inputs: { pixels: { scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] } },
  teacherQuality: { override: true },
  student: { architecture: 'resnet', depth: 8, width: 16 },
  objective: { terms: [{ loss: 'cross-entropy', weight: 1 }] },
  controls: false,
  train: {
    epochs: 10,
    batchSize: 64,
    optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    schedule: { name: 'one-cycle', warmup: 0.2 },
    augment: [{ name: 'flip' }],
  },
};
writeFileSync(at('spec.json'), JSON.stringify(spec));
const code = await retort(
  'distill',
  '--teacher',
  at('untrained.onnx'),
  '--data',
  at('pictures.zip'),
  '--spec',
  at('spec.json'),
  '--out',
  at('out'),
);
if (code !== 0) process.exit(code);

const model = readFileSync(at('out/student.onnx'));
writeFileSync(join(here, 'teacher.onnx'), model);
writeFileSync(
  join(here, 'teacher.onnx.sha256'),
  `${createHash('sha256').update(model).digest('hex')}  teacher.onnx\n`,
);
rmSync(work, { recursive: true });
