import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { judge } from './methods/judge.ts';
import { madeTeacher } from './methods/made-teachers.ts';
import { isOutcome, type MethodResult } from './methods/method-result.ts';
import { METHODS, type Method } from './methods/methods.ts';
import { normalizedTeacher } from './methods/normalized-teacher.ts';
import { ResultFiles } from './methods/result-files.ts';
import { runMethod } from './methods/run-method.ts';
import { isFull, readSetting, type Setting, specOf } from './methods/setting.ts';
import { StatusLine } from './methods/status-line.ts';
import { summarize } from './methods/summary.ts';
import { tableText } from './methods/table.ts';
import { writeSection } from './methods/write-section.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENT = join(root, 'docs/methods.md');
/** Those of the full setting are part of the repository: they take hours, and another clone goes on from them. */
const RESULTS = join(root, 'bench/methods/results.jsonl');
const SEEDS = { full: [0, 1, 2], quick: [0, 1] };

/** One cell of the work: a method on a seed, and what is known of it. */
interface Cell {
  readonly method: Method;
  readonly seed: number;
  readonly spec: object;
  readonly found: MethodResult | undefined;
}

/**
 * Every method and strategy on `cifar10-5k`, several seeds; prints the table, keeps it in docs/methods.md, and fails
 * where an expectation of `judge.ts` is missed. Results are kept in a file, every stage in the store of the work
 * folder: an interrupted bench goes on where it was, and one that is called again makes only what is missing, failed or
 * has another spec. `--quick` says little: fewer epochs, rows and methods.
 */
export async function methods(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fixtures: { type: 'string' },
      only: { type: 'string' },
      seeds: { type: 'string' },
      epochs: { type: 'string' },
      kernel: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      'table-only': { type: 'boolean', default: false },
      work: { type: 'string', default: join(root, 'bench/results/methods') },
    },
  });
  const { quick, kernel, work } = values;
  const epochs = values.epochs === undefined ? undefined : Number(values.epochs);
  const setting = await readSetting({ quick, epochs, kernel });
  const seeds = values.seeds?.split(',').map(Number) ?? (quick ? SEEDS.quick : SEEDS.full);
  const wanted = choose(values.only?.split(','), quick);
  const unfinished = join(work, setting.name);
  const files = new ResultFiles(isFull(setting) ? RESULTS : `${unfinished}.jsonl`, unfinished);
  // Seed by seed, so that an early look at the table compares all methods.
  const cells = await lookUp(wanted, seeds, setting, files);
  if (values['dry-run']) return list(cells, setting);
  if (!values['table-only']) {
    if (!values.fixtures) throw new Error('bench methods needs --fixtures DIR (with teachers/ and data/)');
    if (!(await runAll(cells, setting, values.fixtures, work, files))) {
      process.exitCode = 130;
      return;
    }
  }
  await tell(setting, files);
}

function choose(only: readonly string[] | undefined, quick: boolean): readonly Method[] {
  const unknown = only?.filter((name) => !METHODS.some((method) => method.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no method ${unknown}; known: ${METHODS.map(({ name }) => name).join(', ')}`);
  }
  return METHODS.filter(({ name, isQuick }) => only?.includes(name) ?? (!quick || isQuick === true));
}

async function lookUp(
  wanted: readonly Method[],
  seeds: readonly number[],
  setting: Setting,
  files: ResultFiles,
): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (const seed of seeds) {
    for (const method of wanted) {
      const spec = specOf(method, setting, seed);
      cells.push({ method, seed, spec, found: await files.find(method.name, seed, spec) });
    }
  }
  return cells;
}

const isDone = ({ found }: Cell): boolean => found !== undefined && isOutcome(found.outcome);

function list(cells: readonly Cell[], { name, epochs }: Setting): void {
  console.log(`setting ${name}, ${epochs} epochs`);
  for (const cell of cells) {
    const state = isDone(cell) ? 'done' : cell.found ? 'failed, again' : 'to do';
    console.log(`${state.padEnd(14)} seed ${cell.seed}  ${cell.method.name.padEnd(24)} ${cell.method.note}`);
  }
  console.log(`${cells.filter((cell) => !isDone(cell)).length} of ${cells.length} runs to make`);
}

/** Makes what is missing; false where it was stopped. */
async function runAll(
  cells: readonly Cell[],
  setting: Setting,
  fixtures: string,
  work: string,
  files: ResultFiles,
): Promise<boolean> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const status = new StatusLine(
    cells.filter((cell) => !isDone(cell)).map(({ method }) => method),
    cells.flatMap(({ method, found }) =>
      found && isOutcome(found.outcome) ? [{ method, seconds: found.outcome.spent.all }] : [],
    ),
  );
  const made = { tree: await treeName(), machine: machineName() };
  const request = {
    teacher: join(fixtures, 'teachers/cifar10-resnet56-derived/model.onnx'),
    data: [join(fixtures, 'data/cifar10.zip')],
    store: join(work, 'store'),
  };
  for (const { method, seed, spec } of cells.filter((cell) => !isDone(cell))) {
    if (stop.signal.aborted) return false;
    status.begin(method, seed);
    const progress: StatusLine['progress'] = (stage, done, total) => status.progress(stage, done, total);
    const companions: { name: string; path: string }[] = [];
    for (const [name, from] of Object.entries(method.with ?? {})) {
      const watch = { signal: stop.signal, progress };
      const path =
        from === 'made' ? await madeTeacher(request, setting, work, watch) : join(fixtures, from.fixture);
      if (path === undefined) return false;
      companions.push({ name, path });
    }
    const teacher = method.needsStatistics
      ? await normalizedTeacher(request, setting, work, stop.signal)
      : request.teacher;
    if (teacher === undefined) return false;
    let writing = Promise.resolve();
    const outcome = await runMethod(
      { ...request, teacher, spec, companions },
      {
        signal: stop.signal,
        before: await files.spent(method.name, seed, spec),
        spent(spent) {
          writing = writing.then(() => files.keepSpent(method.name, seed, spec, spent));
        },
        progress,
      },
    );
    await writing;
    if (!outcome) return false;
    const day = new Date().toISOString().slice(0, 10);
    const result: MethodResult = { method: method.name, seed, spec, outcome, ...made, day };
    await files.keep(result);
    status.end(isOutcome(outcome) ? outcome.spent.all : undefined);
    console.error(
      isOutcome(outcome)
        ? `${method.name}, seed ${seed}: ${(100 * outcome.accuracy).toFixed(2)} %, ${(outcome.spent.train / 60).toFixed(1)} min`
        : `${method.name}, seed ${seed} failed: ${outcome.error}`,
    );
  }
  return !stop.signal.aborted;
}

/** The table of all that is there, whatever part of it was asked for this time. */
async function tell(setting: Setting, files: ResultFiles): Promise<void> {
  const cells = await lookUp(
    METHODS,
    Array.from({ length: 10 }, (_, seed) => seed),
    setting,
    files,
  );
  const results = cells.flatMap(({ found }) => found ?? []);
  const rows = summarize(METHODS, results);
  const missed = judge(rows, isFull(setting));
  const text = tableText(rows, results, setting, missed);
  console.log(text);
  if (isFull(setting) && results.length > 0) await writeSection(DOCUMENT, text);
  for (const each of missed) console.error(each);
  if (missed.length > 0) process.exitCode = 1;
}

async function treeName(): Promise<string> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd: root })).stdout.trim();
  // Also runs where there is no repository.
  return git('rev-parse', '--short', 'HEAD').catch(() => 'unknown');
}

const machineName = (): string => `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`;
