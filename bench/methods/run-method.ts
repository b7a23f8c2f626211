import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Failure, Outcome, Spent } from './method-result.ts';
import type { RunMessage, RunRequest } from './run-child.ts';
import { SpentClock } from './spent-clock.ts';

const CHILD = fileURLToPath(new URL('run-child.ts', import.meta.url));

/** How often what was spent is told. */
const KEEP_MS = 5000;

export interface RunWatch {
  readonly signal: AbortSignal;
  /** Spent by earlier attempts. */
  readonly before: Spent;
  /** Told now and then; a bench that is killed loses what was spent since. */
  spent(spent: Spent): void;
  progress(stage: string, done: number, total: number): void;
}

type Ended = Extract<RunMessage, { kind: 'done' | 'failed' }>;

/** Prepares and makes one run, a child process each; undefined where it was stopped. */
export async function runMethod(
  request: Omit<RunRequest, 'onlyPrepare'>,
  watch: RunWatch,
): Promise<Outcome | Failure | undefined> {
  const clock = new SpentClock(watch.before);
  // Decoding and the teacher's work are shared: in a process of their own, they are not in the run's memory.
  let ended = await runChild({ ...request, onlyPrepare: true }, clock, watch);
  if (ended.kind === 'done') ended = await runChild({ ...request, onlyPrepare: false }, clock, watch);
  watch.spent(clock.spent());
  if (ended.kind === 'failed') {
    return watch.signal.aborted ? undefined : { error: `${ended.code}: ${ended.message}` };
  }
  return outcomeOf(ended.report!, ended.peakMiB, clock.spent());
}

function outcomeOf({ models, training, ran, choice }: Report, peakMiB: number, spent: Spent): Outcome {
  const metric = (role: 'teacher' | 'student', name: string) => models[role]!.metrics[name] as number;
  return {
    accuracy: metric('student', 'accuracy'),
    agreement: metric('student', 'agreement'),
    teacher: metric('teacher', 'accuracy'),
    validation: training.student?.validation.accuracy ?? null,
    spent,
    peakMiB: Math.round(peakMiB),
    engine: ran.engine,
    ...(choice ? { chosen: choice.method } : {}),
  };
}

/** One child process, from its request to its end. */
export function runChild(
  request: RunRequest,
  clock: SpentClock | undefined,
  watch: Pick<RunWatch, 'signal' | 'progress'> & Partial<Pick<RunWatch, 'spent'>>,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let ended: Ended | undefined;
    let kept = 0;
    const stop = (): void => void child.kill('SIGTERM');
    watch.signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message: RunMessage) => {
      clock?.see(message);
      if (message.kind === 'done' || message.kind === 'failed') ended = message;
      if (message.kind !== 'progress') return;
      watch.progress(message.stage, message.done, message.total);
      if (performance.now() - kept < KEEP_MS) return;
      kept = performance.now();
      if (clock) watch.spent?.(clock.spent());
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      watch.signal.removeEventListener('abort', stop);
      clock?.leave();
      const message = `it ended with ${signal ?? code}, saying nothing`;
      resolve(ended ?? { kind: 'failed', code: 'BUG', message, cpu: 0 });
    });
    child.send(request);
  });
}
