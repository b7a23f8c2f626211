import { batchThreads } from '../../src/adapters/threads/batch-threads.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import type { BatchThread, BatchThreads, FarColumn } from '../../src/pipeline/ports.ts';

/** Real threads that are started at once, and what became of them. */
export class WatchedThreads implements BatchThreads {
  readonly startMilliseconds = 0;
  /** Chunks they were asked for. */
  asked = 0;
  opened = 0;
  closed = 0;
  /** Called before each request. */
  onAsked: () => void = () => {};
  /** Changes what a thread is told of the columns. */
  change: (column: FarColumn) => FarColumn = (column) => column;
  #last: Promise<BatchThread> | undefined;

  async open(...[recipe, columns]: Parameters<BatchThreads['open']>): Promise<BatchThread> {
    const opening = batchThreads.open(recipe, columns.map(this.change));
    this.#last = opening;
    const thread = await opening;
    this.opened++;
    return {
      assemble: (rows, epoch) => {
        this.asked++;
        this.onAsked();
        return thread.assemble(rows, epoch);
      },
      close: () => {
        this.closed++;
        return thread.close();
      },
    };
  }

  /** The kernel, which waits for a thread that is being started: quick jobs would be over before. */
  patient(kernel: TrainingKernel): TrainingKernel {
    return {
      ...kernel,
      open: async (program, options) => {
        const trainer = await kernel.open(program, options);
        return {
          engine: trainer.engine,
          // Two, so that a small job has many chunks.
          preferredSteps: 2,
          run: async (chunk) => {
            await this.#last?.catch(() => {});
            return trainer.run(chunk);
          },
          gradients: (chunk) => trainer.gradients(chunk),
          snapshot: () => trainer.snapshot(),
          close: () => trainer.close(),
        };
      },
    };
  }
}
