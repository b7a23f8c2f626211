import { childEnvironment } from '../src/adapters/processes/child-environment.ts';
import type { Config } from '../src/config.ts';
import { AttemptProcess, type AttemptProcessOptions } from './attempt-process.ts';

/** The children of a supervisor: none outlives its entry, and all are stopped together. */
export class Children {
  readonly #running = new Set<AttemptProcess>();
  /** Time a child may take for a checkpoint when the supervisor is told to stop. */
  readonly #graceMs: number;
  readonly #same: Pick<AttemptProcessOptions, 'environment' | 'hangMs'>;
  #draining = false;

  constructor(config: Config) {
    this.#graceMs = config.RETORT_DRAIN_SECONDS * 1000;
    this.#same = { environment: childEnvironment(config), hangMs: config.RETORT_HANG_SECONDS * 1000 };
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** `lost` says that the queue has given the entry to another worker. */
  start(options: Pick<AttemptProcessOptions, 'assignment' | 'onMessage'>, lost: AbortSignal): AttemptProcess {
    const child = new AttemptProcess({ ...this.#same, ...options });
    this.#running.add(child);
    void child.ended.then(() => this.#running.delete(child));
    const kill = (): void => child.kill('the queue gave its entry to another worker');
    if (lost.aborted) kill();
    lost.addEventListener('abort', kill);
    if (this.#draining) child.stop(this.#graceMs);
    return child;
  }

  /** Stops every child at a checkpoint, those that are still to come as well. */
  drain(): void {
    this.#draining = true;
    for (const child of this.#running) child.stop(this.#graceMs);
  }
}
