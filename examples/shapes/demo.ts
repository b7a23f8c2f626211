// The demo: draws a dataset, starts the service, has it distil a small student from the committed teacher, prints the
// verdict, stops everything.
// usage: npm run demo [-- --out FOLDER] [--seed N]
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { retort } from './retort.ts';
import { startService } from './service.ts';
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
console.log('Starting the service: API, queue (Redis) and worker ...');
mkdirSync(join(out, 'service'), { recursive: true });
const service = await startService(join(out, 'service'));
const stop = (): void => void service.stop().then(() => process.exit(130));
process.once('SIGINT', stop).once('SIGTERM', stop);
let code: number;
try {
  const files = ['--teacher', teacher, '--data', pictures, '--spec', spec];
  code = await retort('distill', '--server', service.url, ...files, '--out', join(out, 'distilled'));
} finally {
  await service.stop();
}
if (code !== 0) process.exit(code);

console.log(`
The teacher saw 600 labelled pictures per class; here are 20, and many without a label. The control learned from
the labelled ones alone, the student also from what the teacher says of the others.

  ${join(out, 'contact-sheet.png')}   what the pictures look like
  ${join(out, 'service', 'service.log')}   what the service logged
  ${join(out, 'distilled')}   student.onnx, control.onnx, report.json, model-card.md, manifest.json`);
