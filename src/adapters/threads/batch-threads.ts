import { Worker } from 'node:worker_threads';
import type { Batch } from '../../data/batch.ts';
import type { BatchRecipe } from '../../data/batch-recipe.ts';
import { RetortError } from '../../errors.ts';
import type { BatchThread, BatchThreads, FarColumn } from '../../pipeline/ports.ts';
import { errorOf } from '../../service/fault.ts';
import type { Answer, Failure, Request } from './messages.ts';

/** Threads are started like the processes: the loader of TypeScript first, then the module. */
const bootstrap = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./batch-thread.ts', import.meta.url).href)});
})`;

/** Threads of this process, each with its own copy of all modules. */
export const batchThreads: BatchThreads = {
  startMilliseconds: 1000,
  open: (recipe, columns) => WorkerBatches.open(recipe, columns),
};

interface Waiting {
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: unknown) => void;
}

class WorkerBatches implements BatchThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ready: Promise<void>;
  /** Why nothing more is to be had of it. */
  #over: RetortError | undefined;
  #asked = 0;

  private constructor(recipe: BatchRecipe, columns: readonly FarColumn[]) {
    this.#worker = new Worker(bootstrap, { eval: true, execArgv: [], workerData: { recipe, columns } });
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (answer: Answer) => {
        if (answer.kind === 'ready') resolve();
        else if (answer.kind === 'unready') reject(thrown(answer));
        else this.#hear(answer);
      });
      const end = (error: RetortError): void => {
        this.#over ??= error;
        reject(this.#over);
        for (const { reject } of this.#waiting.values()) reject(this.#over);
        this.#waiting.clear();
      };
      const died = 'the thread that makes batches ended';
      this.#worker.on('error', (cause) => end(new RetortError('INTERNAL', died, { cause })));
      this.#worker.on('exit', (code) => end(new RetortError('INTERNAL', `${died} (exit code ${code})`)));
    });
  }

  static async open(recipe: BatchRecipe, columns: readonly FarColumn[]): Promise<WorkerBatches> {
    const opened = new WorkerBatches(recipe, columns);
    try {
      await opened.#ready;
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  assemble(rows: Uint32Array, epoch: number): Promise<Batch> {
    if (this.#over) return Promise.reject(this.#over);
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, rows, epoch } satisfies Request);
    });
  }

  async close(): Promise<void> {
    this.#over ??= new RetortError('CANCELLED', 'the thread that makes batches was closed');
    await this.#worker.terminate();
  }

  #hear(answer: Exclude<Answer, { kind: 'ready' | 'unready' }>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === 'batch') waiting?.resolve(answer.batch);
    else waiting?.reject(thrown(answer));
  }
}

function thrown({ fault, stack }: Failure): RetortError {
  const error = errorOf(fault);
  if (error.code === 'INTERNAL') error.cause = new Error(stack);
  return error;
}
