import { ulid } from 'ulid';
import type { DatasetCard } from '../../data/card.ts';
import { RetortError } from '../../errors.ts';
import type { Clock, JobStore, StoredRecord } from '../../pipeline/ports.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import { type Fault, faultOf } from '../fault.ts';
import type { Sandbox } from '../ports.ts';
import { unlessConflict } from '../unless-conflict.ts';
import { boundedCard } from './bounded-card.ts';
import { ownedPage, type Page, type PageWish } from './owned-page.ts';

/** A dataset as the JobStore holds it: the value of the record `dataset/<id>`. Times are milliseconds since 1970. */
export interface StoredDataset {
  readonly id: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly data: readonly Artifact[];
  /** As its user named it; null: it is recognised. */
  readonly format: string | null;
  readonly card: DatasetCard | null;
  readonly error: Fault | null;
}

export interface DatasetRecord extends StoredDataset {
  readonly state: 'inspecting' | 'ready' | 'refused';
}

export interface DatasetsTools {
  readonly jobs: JobStore;
  readonly clock: Clock;
  readonly sandbox: Sandbox;
  /** How long a dataset is kept, milliseconds. */
  readonly retainMs: number;
  /** Told of what kept an inspection from being finished; it begins anew when the dataset is next read. */
  readonly onTrouble: (error: unknown) => void;
}

const PREFIX = 'dataset/';
const datasetOf = ({ state, value }: StoredRecord): DatasetRecord => ({
  ...(value as StoredDataset),
  state: state as DatasetRecord['state'],
});

/** Datasets that users have given. Looking at one can take minutes, so it goes on when nobody waits any more. */
export class Datasets {
  readonly #tools: DatasetsTools;
  readonly #running = new Map<string, { readonly done: Promise<void>; readonly abort: AbortController }>();
  #closed = false;

  constructor(tools: DatasetsTools) {
    this.#tools = tools;
  }

  async create(draft: Pick<StoredDataset, 'owner' | 'data' | 'format'>): Promise<DatasetRecord> {
    const { jobs, clock, retainMs } = this.#tools;
    const createdAt = clock.now();
    const value: StoredDataset = {
      id: `ds_${ulid()}`,
      ...draft,
      createdAt,
      expiresAt: createdAt + retainMs,
      card: null,
      error: null,
    };
    const record = await jobs.put({ id: PREFIX + value.id, revision: 0, state: 'inspecting', value });
    this.#inspect(value.id);
    return datasetOf(record);
  }

  /** One that a process left unfinished when it died is taken up again. */
  async get(id: string): Promise<DatasetRecord> {
    const record = /^ds_[0-9A-Z]{26}$/.test(id) ? await this.#tools.jobs.get(PREFIX + id) : undefined;
    if (!record) throw new RetortError('NOT_FOUND', `there is no dataset ${id}`);
    if (record.state === 'inspecting') this.#inspect(id);
    return datasetOf(record);
  }

  /** The dataset once it was looked at, or as it is when the time is over. */
  async settled(id: string, milliseconds: number): Promise<DatasetRecord> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.#running.get(id)?.done, late]);
    clearTimeout(timer);
    return this.get(id);
  }

  async page(wish: PageWish): Promise<Page<DatasetRecord>> {
    const { items, next } = await ownedPage(this.#tools.jobs, PREFIX, wish);
    return { items: items.map(datasetOf), next };
  }

  /** Removes the record; its files go with a later sweep, unless something else needs them. */
  async delete(id: string): Promise<void> {
    await this.#tools.jobs.delete(PREFIX + id);
    this.#running.get(id)?.abort.abort();
  }

  /** Stops what runs in the background. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort();
    await Promise.all(running.map(({ done }) => done));
  }

  #inspect(id: string): void {
    if (this.#closed || this.#running.has(id)) return;
    const abort = new AbortController();
    const done = this.#look(id, abort.signal)
      .catch((error: unknown) => {
        if (!abort.signal.aborted) this.#tools.onTrouble(error);
      })
      .finally(() => this.#running.delete(id));
    this.#running.set(id, { done, abort });
  }

  async #look(id: string, signal: AbortSignal): Promise<void> {
    const { jobs, sandbox } = this.#tools;
    // Read here: an inspection may have ended after our caller read the record, and before this one began.
    const record = await jobs.get(PREFIX + id);
    if (signal.aborted || record?.state !== 'inspecting') return;
    const dataset = record.value as StoredDataset;
    const { data, format } = dataset;
    const outcome = await sandbox
      .inspectDataset({ data, signal, ...(format === null ? {} : { format }) })
      .then(boundedCard)
      .then(
        (card) => ({ state: 'ready', value: { ...dataset, card } }),
        (error: unknown) => {
          // Only what is wrong with the files is an answer; the rest is ours, and is tried again.
          if (signal.aborted || !(error instanceof RetortError) || error.entry.http >= 500) throw error;
          return { state: 'refused', value: { ...dataset, error: faultOf(error) } };
        },
      );
    if (signal.aborted) return;
    // Deleted meanwhile, or another process was faster.
    await jobs.put({ ...record, ...outcome }).catch(unlessConflict);
  }
}
