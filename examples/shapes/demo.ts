// The demo: draws a dataset, takes the committed teacher, distils a small student, prints the verdict.
// usage: npm run demo [-- --out FOLDER] [--seed N]
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { retort } from './retort.ts';
import { writeContactSheet, writeDataset } from './write-dataset.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values } = parseArgs({
  options: { out: { type: 'string', default: 'demo-out' }, seed: { type: 'string', default: '0' } },
});
const out = resolve(values.out);
const seed = Number(values.seed);
mkdirSync(out, { recursive: true });

const teacher = join(here, 'teacher.onnx');
const expected = readFileSync(`${teacher}.sha256`, 'utf8').split(' ')[0];
const found = createHash('sha256').update(readFileSync(teacher)).digest('hex');
if (found !== expected) {
  console.error(`teacher.onnx is not the file train-teacher.ts made: sha256 ${found}, expected ${expected}`);
  process.exit(65);
}

console.log('Drawing pictures: 20 labelled and 250 unlabelled per class ...');
const pictures = join(out, 'pictures.zip');
await writeDataset(pictures, { seed: 100 + seed, train: 20, validation: 20, test: 125, unlabelled: 250 });
await writeContactSheet(join(out, 'contact-sheet.png'), 100 + seed);

const spec = join(out, 'spec.json');
writeFileSync(
  spec,
  JSON.stringify({ ...JSON.parse(readFileSync(join(here, 'spec.json'), 'utf8')), seed }, null, 2),
);
retort('distill', '--teacher', teacher, '--data', pictures, '--spec', spec, '--out', join(out, 'distilled'));

console.log(`
The teacher saw 600 labelled pictures per class; here are 20, and many without a label. The control learned from
the labelled ones alone, the student also from what the teacher says of the others.

  ${join(out, 'contact-sheet.png')}   what the pictures look like
  ${join(out, 'distilled')}   student.onnx, control.onnx, report.json, model-card.md, manifest.json`);
