import { RetortError } from '../../errors.ts';
import {
  DisposableProcess,
  type Outcome,
  type ProcessOptions,
  type RequestLimits,
} from './disposable-process.ts';

export interface PoolOptions extends ProcessOptions {
  /** Requests worked on at the same time; others wait in order. */
  readonly concurrency: number;
  /** Whether a process is started beforehand while there is nothing to do, so that the next request finds it ready. */
  readonly spare: boolean;
}

/** Gives every request a process of its own, so many at a time. */
export class ProcessPool {
  readonly #options: PoolOptions;
  readonly #processes = new Set<Promise<DisposableProcess>>();
  readonly #waiting: (() => void)[] = [];
  #spare: Promise<DisposableProcess> | undefined;
  #active = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#warm();
  }

  async run(request: unknown, limits: RequestLimits): Promise<Outcome> {
    if (!(await this.#turn(limits.signal))) return { kind: 'aborted' };
    let process: DisposableProcess | undefined;
    try {
      this.#refuseClosed();
      process = await this.#take();
      const outcome = await process.ask(request, limits);
      if (outcome.kind === 'aborted') this.#refuseClosed();
      return outcome;
    } finally {
      const release = (): void => this.#release();
      // Its memory counts until it is gone.
      if (process) void process.gone.then(release, release);
      else release();
    }
  }

  /** Kills every process, and waits until they and their folders are gone. Waiting requests are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const next of this.#waiting.splice(0)) next();
    const started = await Promise.allSettled(this.#processes);
    const processes = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    for (const process of processes) process.kill();
    await Promise.all(processes.map((process) => process.gone));
  }

  #refuseClosed(): void {
    if (!this.#closed) return;
    throw new RetortError('SERVICE_STOPPING', 'the service is shutting down', { hint: 'Try again later.' });
  }

  /** Waits for a free place; false when the signal came first. */
  async #turn(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return false;
    if (this.#active < this.#options.concurrency) {
      this.#active++;
      return true;
    }
    return new Promise((resolve) => {
      const next = (): void => {
        signal?.removeEventListener('abort', leave);
        this.#active++;
        resolve(true);
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(next), 1);
        resolve(false);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(next);
    });
  }

  #release(): void {
    this.#active--;
    const next = this.#waiting.shift();
    if (next) next();
    else this.#warm();
  }

  async #take(): Promise<DisposableProcess> {
    const taken = this.#spare;
    this.#spare = undefined;
    const spare = await taken?.catch(() => undefined);
    return spare?.alive ? spare : this.#start();
  }

  #warm(): void {
    if (this.#closed || !this.#options.spare || this.#spare) return;
    this.#spare = this.#start();
    // Whoever needs it starts another and meets the reason.
    this.#spare.catch(() => {});
  }

  #start(): Promise<DisposableProcess> {
    const starting = DisposableProcess.start(this.#options);
    this.#processes.add(starting);
    const forget = (): void => void this.#processes.delete(starting);
    void starting.then(({ gone }) => gone).then(forget, forget);
    return starting;
  }
}
