import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadBackend } from '../src/adapters/kernels/tfjs/backend.ts';
import { COMPARED, type Contender, startContender } from './train/contender.ts';
import {
  type ContenderFigures,
  figuresOf,
  medianRate,
  takeTurns,
  type WorkloadFigures,
} from './train/figures.ts';
import { judgeMean, judgeWorkload } from './train/judge.ts';
import { encodeStart } from './train/start.ts';
import { programOf, type Workload, workloads } from './train/workloads.ts';

const VARIANTS = 'eager,channels_last,compile';
const CHILD = fileURLToPath(new URL('train/kernel-child.ts', import.meta.url));
const PEER = fileURLToPath(new URL('peers/pytorch_train.py', import.meta.url));

interface Settings {
  readonly kernels: readonly string[];
  /** Python with torch; without it PyTorch's column is left out. */
  readonly python: string | undefined;
  /** PyTorch's: eager, channels_last (pictures only), compile. */
  readonly variants: readonly string[];
  readonly threads: number;
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * Whole training steps per second, each kernel through its port against PyTorch, taking turns; one JSON line per workload
 * and one for all. Everybody starts from the same parameters and batch. Fails where a target of `judge.ts` is missed.
 */
export async function train(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: Object.keys(workloads).join() },
      kernels: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      threads: { type: 'string', default: '2' },
      variants: { type: 'string', default: VARIANTS },
    },
  });
  const names = values.only.split(',');
  const unknown = names.filter((name) => !workloads[name]);
  if (unknown.length > 0) throw new Error(`no workload ${unknown}; known: ${Object.keys(workloads)}`);
  const settings: Settings = {
    kernels: values.kernels?.split(',') ?? (await fastKernels()),
    python: process.env.RETORT_PYTHON,
    variants: values.variants.split(','),
    threads: Number(values.threads),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
  };
  if (!settings.python) note('PyTorch is left out: RETORT_PYTHON names no Python that has torch');
  const problems: string[] = [];
  const all: WorkloadFigures[] = [];
  for (const name of names) {
    const figures = await measure(name, workloads[name]!, settings);
    const missed = judgeWorkload(figures);
    const load = loadavg()[0]!;
    console.log(JSON.stringify({ name: 'train', ...figures, load, missed }, rounded));
    problems.push(...missed);
    all.push(figures);
  }
  if (all.length === Object.keys(workloads).length) {
    const { mean, problems: missed } = judgeMean(all);
    console.log(JSON.stringify({ name: 'train', workload: 'all', mean: mean ?? null, missed }, rounded));
    problems.push(...missed);
  }
  for (const problem of problems) note(problem);
  if (problems.length > 0) process.exitCode = 1;
}

/** All kernels but tfjs in plain JavaScript, which would take minutes for a step. */
async function fastKernels(): Promise<string[]> {
  const { name, note: why } = await loadBackend();
  if (name === 'tensorflow') return ['onnxruntime', 'tfjs'];
  note(`the tfjs kernel is left out: ${why}`);
  return ['onnxruntime'];
}

async function measure(name: string, workload: Workload, settings: Settings): Promise<WorkloadFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-bench-'));
  const contenders = new Map<string, Contender>();
  try {
    const file = join(folder, 'start.safetensors');
    await writeFile(file, encodeStart(programOf(workload), workload));
    const threads = String(settings.threads);
    for (const kernel of settings.kernels) {
      const child = ['--import', 'tsx', CHILD, file, name, kernel, threads];
      contenders.set(kernel, await startContender(process.execPath, child));
    }
    const isPicture = workload.dims.length === 3;
    const fitting = settings.variants.filter((variant) => isPicture || variant !== 'channels_last');
    for (const variant of settings.python ? fitting : []) {
      // Compilers and Pythons differ; what one variant lacks does not stop the others.
      await startContender(settings.python!, [PEER, file, name, variant, threads, COMPARED.join()]).then(
        (contender) => contenders.set(variant, contender),
        (error: Error) => note(`${name}: PyTorch's variant ${variant} is left out: ${error.message}`),
      );
    }
    const rounds = await takeTurns(contenders, settings.rounds, settings.seconds);
    const fastest = fitting
      .filter((variant) => rounds.has(variant))
      .sort((a, b) => medianRate(rounds.get(b)!) - medianRate(rounds.get(a)!))[0];
    const reference = fastest === undefined ? undefined : rounds.get(fastest);
    const pick = (wanted: readonly string[]): Record<string, ContenderFigures> =>
      Object.fromEntries(
        wanted
          .filter((each) => contenders.has(each))
          .map((each) => [each, figuresOf(contenders.get(each)!.ready, rounds.get(each)!, reference)]),
      );
    return {
      workload: name,
      isConvolutional: workload.isConvolutional,
      kernels: pick(settings.kernels),
      pytorch: pick(fitting),
      ...(fastest === undefined ? {} : { best: fastest }),
    };
  } finally {
    await Promise.all([...contenders.values()].map((contender) => contender.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

const note = (text: string): void => console.error(text);

const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
