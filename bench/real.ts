import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Report } from '../src/pipeline/report/report.ts';
import type { Timing } from '../src/pipeline/timing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Run {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly teacher: string;
  readonly data: readonly string[];
}

const CIFAR = { teacher: 'cifar10-resnet56-derived', data: ['cifar10.zip'] };
const MNIST = {
  teacher: 'mnist-cnn-ort',
  data: ['train-images', 'train-labels', 't10k-images', 't10k-labels'].map(
    (name) => `mnist/${name}-idx${name.endsWith('images') ? 3 : 1}-ubyte.gz`,
  ),
};

/** Ordered so that runs that share a teacher's logits and a control follow each other. */
export const RUNS: readonly Run[] = [
  { name: 'mnist-1k', seeds: [0, 1, 2], ...MNIST },
  { name: 'cifar10-5k', seeds: [0, 1, 2], ...CIFAR },
  { name: 'cifar10-5k-ls', seeds: [0, 1, 2], ...CIFAR },
  { name: 'cifar10-semi', seeds: [0], ...CIFAR },
  { name: 'cifar10-full', seeds: [0], ...CIFAR },
];

/**
 * Real teachers and data through the command line, as a user runs it; one JSON line per run, accuracies in percent.
 * Stages are shared in the work folder, so an interrupted bench goes on where it was; `seconds` is what this run took
 * itself, and `stages` says which it shared with an earlier one.
 */
export async function real(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fixtures: { type: 'string' },
      only: { type: 'string' },
      seeds: { type: 'string' },
      work: { type: 'string', default: join(root, 'bench/results/real') },
    },
  });
  if (!values.fixtures)
    throw new Error('bench real needs --fixtures DIR (the folder with teachers/ and data/)');
  const only = values.only?.split(',');
  const seeds = values.seeds?.split(',').map(Number);
  const unknown = only?.filter((name) => !RUNS.some((run) => run.name === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`no run ${unknown}; known: ${RUNS.map((run) => run.name).join(', ')}`);
  for (const seed of [0, 1, 2]) {
    for (const run of RUNS) {
      const wanted = (only?.includes(run.name) ?? true) && (seeds ?? run.seeds).includes(seed);
      if (wanted && run.seeds.includes(seed)) await runOne(run, seed, values.fixtures, values.work);
    }
  }
}

async function runOne(run: Run, seed: number, fixtures: string, work: string): Promise<void> {
  const out = join(work, `${run.name}-${seed}`);
  await mkdir(out, { recursive: true });
  const spec = await specOf(run.name);
  const specFile = join(out, 'requested.json');
  await writeFile(specFile, JSON.stringify({ ...spec, seed }));
  const teacher = join(fixtures, 'teachers', run.teacher, 'model.onnx');
  const data = run.data.flatMap((file) => ['--data', join(fixtures, 'data', file)]);
  await retort([
    'distill',
    '--teacher',
    teacher,
    ...data,
    '--spec',
    specFile,
    '--out',
    out,
    '--store',
    join(work, 'store'),
  ]);

  const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as Report;
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
  const timings: readonly Timing[] = manifest.stages;
  const ofModel = (role: 'teacher' | 'control' | 'student', metric: string) =>
    percent(report.models[role]?.metrics[metric] as number | undefined);
  console.log(
    JSON.stringify({
      name: run.name,
      seed,
      teacher: ofModel('teacher', 'accuracy'),
      control: ofModel('control', 'accuracy'),
      student: ofModel('student', 'accuracy'),
      agreement: ofModel('student', 'agreement'),
      // Share of the steps' time in which the kernel had no data.
      wait: percent(report.training.student?.wait?.share),
      params: report.models.student?.parameters,
      seconds: Math.round(timings.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000),
      stages: Object.fromEntries(
        timings.map(({ stage, milliseconds, skipped }) => [
          stage,
          skipped ? 'shared' : Math.round(milliseconds / 1000),
        ]),
      ),
    }),
  );
}

export const percent = (share: number | undefined) =>
  share === undefined ? undefined : Math.round(share * 1e4) / 100;

/** The example spec of a run. */
export const specOf = async (name: string) =>
  JSON.parse(await readFile(join(root, 'examples/specs', `${name}.json`), 'utf8'));

/** Runs the command line; its progress goes to standard error. */
function retort(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bin/retort.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.pipe(process.stderr);
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`retort ${args[0]} ended with ${code}`)),
    );
  });
}
