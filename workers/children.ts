import { AttemptProcess, type AttemptProcessOptions } from './attempt-process.ts';

/** The children of a supervisor: none outlives its entry, and all are stopped together. */
export class Children {
  readonly #running = new Set<AttemptProcess>();
  readonly #graceMs: number;
  #draining = false;

  /** `graceMs`: time a child may take for a checkpoint when the supervisor is told to stop. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** `lost` says that the queue has given the entry to another worker. */
  start(options: AttemptProcessOptions, lost: AbortSignal): AttemptProcess {
    const child = new AttemptProcess(options);
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
