import type { Assembler, Batch, BatchMaker } from '../../data/batch.ts';
import type { ColumnData } from '../../data/column-reader.ts';
import type { BatchThread, BatchThreads } from '../ports.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from './open-rows.ts';

/** Batches that may come from another thread. */
export interface BesideAssembler extends Assembler {
  /** Whether what is asked for now is made while this thread does other things. */
  readonly isBeside: boolean;
  close(): Promise<void>;
}

/** A thread is started when what it will spare is so many times what its start costs. */
const WORTH = 2;

/**
 * The batches of a phase: made here until it shows that a thread is worth its start, and by that thread once it is ready.
 * Both make the same bits.
 */
export class BatchesBeside implements BesideAssembler {
  readonly #maker: BatchMaker;
  readonly #rows: Rows;
  readonly #files: Results['decode']['files'];
  readonly #tools: Pick<StageContext, 'threads' | 'blobs' | 'clock'>;
  /** Rows that are still to come. */
  #left: number;
  #calls = 0;
  #starting: Promise<void> | undefined;
  #thread: BatchThread | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** `count`: rows of all the steps. */
  constructor(
    maker: BatchMaker,
    count: number,
    rows: Rows,
    { decode: { files } }: Pick<Results, 'decode'>,
    tools: Pick<StageContext, 'threads' | 'blobs' | 'clock'>,
  ) {
    this.#maker = maker;
    this.#left = count;
    this.#rows = rows;
    this.#files = files;
    this.#tools = tools;
  }

  get isBeside(): boolean {
    return this.#thread !== undefined;
  }

  async assemble(rows: Uint32Array, epoch: number): Promise<Batch> {
    if (this.#failure) throw this.#failure.error;
    this.#left -= rows.length;
    if (this.#thread) return this.#thread.assemble(rows, epoch);
    const { clock } = this.#tools;
    const from = clock.precise();
    const batch = await this.#maker.assemble(rows, epoch);
    const pace = (clock.precise() - from) / rows.length;
    // The first call is slower than those to come.
    if (this.#calls++ > 0) this.#consider(pace * this.#left);
    return batch;
  }

  /** Ends the thread, also one that is only starting. */
  async close(): Promise<void> {
    await this.#starting;
    await this.#thread?.close();
  }

  /** `milliseconds`: what the rows that are left will take. */
  #consider(milliseconds: number): void {
    const { threads } = this.#tools;
    const data = this.#rows.dataset.columnData?.();
    if (this.#starting || !threads || !data || milliseconds < WORTH * threads.startMilliseconds) return;
    this.#starting = this.#start(threads, data).then(
      (thread) => {
        this.#thread = thread;
      },
      // Told to whoever asks next.
      (error: unknown) => {
        this.#failure = { error };
      },
    );
  }

  async #start(threads: BatchThreads, data: readonly ColumnData[]): Promise<BatchThread> {
    const { recipe } = this.#maker;
    const read = new Set(Object.values(recipe.plan.inputs).map(({ column }) => column));
    const wanted = data.filter(({ name }) => read.has(name));
    const columns = wanted.map(async (column) => ({
      ...column,
      path: await this.#tools.blobs.path(this.#files[column.file]!.hash),
    }));
    return threads.open(recipe, await Promise.all(columns));
  }
}
