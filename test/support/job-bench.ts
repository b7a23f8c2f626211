import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openService } from '../../src/adapters/open-service.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { readConfig } from '../../src/config.ts';
import type { Source } from '../../src/data/format.ts';
import { isTerminal, type JobInputs, type JobRecord } from '../../src/service/jobs/job.ts';
import { Jobs } from '../../src/service/jobs/jobs.ts';
import { memorySource } from './data-files.ts';
import { someOptions } from './job-draft.ts';
import { type TestRedis, testRedis } from './redis.ts';
import { tinyPictures, tinySpec, tinyTeacher } from './tiny-job.ts';

const workerEntry = fileURLToPath(new URL('./worker-entry.ts', import.meta.url));

/** A training that takes minutes, so that things can happen in the middle of it. */
export const longSpec = (seed = 0): object =>
  tinySpec({ controls: false, seed, train: { epochs: 100_000, batchSize: 16, checkpointEvery: 2000 } });

export interface WorkerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** Ends the supervisor without a word. */
  kill(): void;
  /** Lets it hand over what it has. */
  drain(): void;
}

/** Redis, stores on disk and worker processes: what promises about jobs are tested on. */
export class JobBench {
  readonly redis: TestRedis;
  readonly folder: string;
  readonly jobs: Jobs;
  readonly inputs: JobInputs;
  readonly #close: () => Promise<void>;
  readonly #workers: WorkerProcess[] = [];

  private constructor(
    redis: TestRedis,
    folder: string,
    jobs: Jobs,
    inputs: JobInputs,
    close: () => Promise<void>,
  ) {
    this.redis = redis;
    this.folder = folder;
    this.jobs = jobs;
    this.inputs = inputs;
    this.#close = close;
  }

  /**
   * @param given a folder that is there and stays; default: a new one that goes with the bench
   * @param settings where the stores lie
   */
  static async open(given?: string, settings: Readonly<Record<string, string>> = {}): Promise<JobBench> {
    const redis = await testRedis();
    const folder = given ?? (await mkdtemp(join(tmpdir(), 'retort-bench-')));
    const service = await openService(readConfig({ ...settings, RETORT_DATA: folder }), redis.url);
    const jobs = new Jobs({ ...service, clock: systemClock, maxOpen: 10_000, onTrouble: () => {} });
    const put = async (file: Source) => ({ name: file.name, ...(await service.blobs.put(file.stream())) });
    const inputs = {
      teacher: await put(memorySource('teacher.onnx', tinyTeacher())),
      companions: [],
      data: await Promise.all(tinyPictures().map(put)),
    };
    return new JobBench(redis, folder, jobs, inputs, async () => {
      await service.close();
      if (given === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  create(spec: object): Promise<JobRecord> {
    const requested = spec as JobRecord['requested'];
    return this.jobs.create({ owner: 'local', inputs: this.inputs, requested, options: someOptions });
  }

  async worker(settings: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
    const child = spawn(process.execPath, ['--import', 'tsx', workerEntry], {
      env: {
        ...process.env,
        RETORT_DATA: this.folder,
        REDIS_URL: this.redis.url,
        RETORT_LOG_LEVEL: 'warn',
        ...settings,
      },
      stdio: ['ignore', 'pipe', process.env.RETORT_DEBUG ? 'inherit' : 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const worker = {
      child,
      ended,
      kill: () => void child.kill('SIGKILL'),
      drain: () => void child.kill('SIGTERM'),
    };
    this.#workers.push(worker);
    await Promise.race([
      new Promise<void>((resolve) =>
        child.stdout!.on('data', (chunk: Buffer) => chunk.includes('ready') && resolve()),
      ),
      ended.then((code) => {
        throw new Error(`the worker ended with ${code} before it was ready`);
      }),
    ]);
    return worker;
  }

  /** Waits until `holds` says yes; throws with the job as it is after `seconds`. Returns the milliseconds waited. */
  async until(id: string, holds: (job: JobRecord) => boolean, seconds = 30): Promise<number> {
    const started = performance.now();
    for (;;) {
      const job = await this.jobs.get(id);
      const waited = performance.now() - started;
      if (holds(job)) return waited;
      if (waited > seconds * 1000 || (isTerminal(job.state) && waited > 5000)) {
        const { state, attempt, crashes, progress, error } = job;
        throw new Error(
          `after ${seconds} s: ${JSON.stringify({ state, attempt, crashes, progress, error })}`,
        );
      }
      await sleep(20);
    }
  }

  training(id: string, attempt = 1): Promise<number> {
    return this.until(id, (job) => job.attempt >= attempt && job.progress?.stage === 'train', 60);
  }

  async close(): Promise<void> {
    for (const { child } of this.#workers) child.kill('SIGKILL');
    await Promise.all(this.#workers.map(({ ended }) => ended));
    await this.#close();
    await this.redis.close();
  }
}

/** Processes of attempts that a worker has under way, by /proc. The TypeScript loader may have a child of its own. */
export async function attemptsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  const commands = await Promise.all(
    children.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
  );
  return children.filter((_, i) => commands[i]!.includes('attempt-child'));
}

async function childrenOf(pid: number): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const found: number[] = [];
  for (const entry of entries.filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(entry));
  }
  return found;
}

/** Whether a process still runs; one that has ended and waits for its parent to notice does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && stat[stat.lastIndexOf(')') + 2] !== 'Z';
}
