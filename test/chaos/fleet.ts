import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { attemptsOf } from '../support/job-bench.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const bin = fileURLToPath(new URL('../../bin/retort.js', import.meta.url));

/** A process of the service that is started again whenever it ends, as an operator's process manager would. */
class Kept {
  child: ChildProcess;
  #stopping = false;
  readonly #start: () => ChildProcess;
  #restart: NodeJS.Timeout | undefined;

  constructor(start: () => ChildProcess) {
    this.#start = start;
    this.child = this.#begin();
  }

  #begin(): ChildProcess {
    const child = this.#start();
    child.once('close', () => {
      if (!this.#stopping) this.#restart = setTimeout(() => (this.child = this.#begin()), 500);
    });
    return child;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGCONT');
    this.child.kill(name);
    await ended;
  }
}

/** The whole service as real processes: Redis, the API, workers; each can be hurt. */
export class Fleet {
  readonly redis: TestRedis;
  readonly folder: string;
  readonly api: Kept;
  readonly workers: readonly Kept[];
  /** What the processes logged at the level warn and above, newest last. */
  readonly log: string[];
  /** Of all processes. `RETORT_PORT` is 0 until the API has taken a port, and that one whenever it starts again. */
  readonly environment: { RETORT_PORT: string };

  private constructor(parts: Pick<Fleet, 'environment' | 'redis' | 'folder' | 'api' | 'workers' | 'log'>) {
    this.environment = parts.environment;
    this.redis = parts.redis;
    this.folder = parts.folder;
    this.api = parts.api;
    this.workers = parts.workers;
    this.log = parts.log;
  }

  static async start(workers: number, settings: Readonly<Record<string, string>> = {}): Promise<Fleet> {
    const redis = await testRedis();
    const folder = await mkdtemp(join(tmpdir(), 'retort-chaos-'));
    const log: string[] = [];
    const environment = {
      ...process.env,
      RETORT_DATA: folder,
      RETORT_PORT: '0',
      RETORT_WORKERS: '0',
      RETORT_LOG_LEVEL: 'warn',
      RETORT_RATE_LIMIT: '1000000',
      RETORT_DRAIN_SECONDS: '10',
      REDIS_URL: redis.url,
      ...settings,
    };
    const start = (verb: string) => (): ChildProcess => {
      const child = spawn(process.execPath, [bin, verb], {
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          log.push(`${verb}: ${line}`);
          environment.RETORT_PORT = /^listening on \S+:(\d+)$/.exec(line)?.[1] ?? environment.RETORT_PORT;
        });
      }
      return child;
    };
    const fleet = new Fleet({
      environment,
      redis,
      folder,
      api: new Kept(start('serve')),
      workers: Array.from({ length: workers }, () => new Kept(start('worker'))),
      log,
    });
    await fleet.ready();
    return fleet;
  }

  get url(): string {
    return `http://127.0.0.1:${this.environment.RETORT_PORT}`;
  }

  /** Waits until the API says it is ready. */
  async ready(): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the API did not get ready; it said:\n${this.log.slice(-20).join('\n')}`);
  }

  /** Processes that train, of all workers. */
  async children(): Promise<number[]> {
    return (await Promise.all(this.workers.map(({ child }) => attemptsOf(child.pid!)))).flat();
  }

  async stop(): Promise<void> {
    this.redis.signal('SIGCONT');
    await Promise.all([this.api, ...this.workers].map((process) => process.stop('SIGKILL')));
    await this.redis.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
