import type { NDArray } from '../core/ndarray.ts';
import type { ValueInfo } from '../core/onnx/model.ts';
import type { Assembler } from '../data/batch.ts';
import type { BatchRecipe } from '../data/batch-recipe.ts';
import type { ColumnData } from '../data/column-reader.ts';
import type { Source } from '../data/format.ts';

/** What the journey asks of the outside. Adapters implement these; only composition roots choose them. */

/** `webgpu` is for teachers alone. */
export type Device = 'cpu' | 'cuda' | 'webgpu';

/** Runs ONNX models (teachers, students) for inference. */
export interface Runtime {
  /** Opens a model in disposable isolation where the adapter says so; ONNX_UNSUPPORTED names what cannot be run. */
  open(model: Uint8Array, options: SessionOptions): Promise<Session>;
  /** Devices that can be used here, of those that can be told without starting them. */
  devices(): readonly DeviceState[];
  readonly version: string;
}

export interface DeviceState {
  readonly device: Device;
  readonly available: boolean;
  /** Why it cannot be used. */
  readonly why?: string;
}

export interface SessionOptions {
  readonly device: Device;
  /** 0: the engine's choice. */
  readonly threads: number;
  /** Files named by the model's external data, by location. */
  readonly externalData?: ReadonlyMap<string, Uint8Array>;
  /** How far the engine may rewrite the graph. Default `all`. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** The engine's own settings, by its names (`session.set_denormal_as_zero`: `1`). */
  readonly config?: Readonly<Record<string, string>>;
}

export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  run(
    feeds: Readonly<Record<string, NDArray>>,
    fetches?: readonly string[],
  ): Promise<Record<string, NDArray>>;
  close(): Promise<void>;
}

/** Threads that make batches while this one waits for a kernel. */
export interface BatchThreads {
  /** About how long it takes until one is of use, milliseconds. */
  readonly startMilliseconds: number;
  /** Every column the recipe reads, with its file where it is not in memory. */
  open(recipe: BatchRecipe, columns: readonly FarColumn[]): Promise<BatchThread>;
}

export interface FarColumn extends ColumnData {
  readonly path: string;
}

/** The same bits as a BatchMaker of the recipe. One request may be under way while another is made. */
export interface BatchThread extends Assembler {
  /** Ends it at once; what is still asked for fails. */
  close(): Promise<void>;
}

/** Immutable bytes named by their sha256. Writes are atomic: a blob exists whole or not at all. */
export interface BlobStore {
  /** Stores a stream; equal content gives the equal name, is stored once, and counts as modified now. */
  put(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef>;
  /** STORE_MISSING if there is none. */
  get(hash: string): Promise<Uint8Array>;
  stream(hash: string, range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
  /** For reads by position. */
  source(hash: string): Promise<Source & { close(): Promise<void> }>;
  /** A local path, where the driver has one (others download to a cache). */
  path(hash: string): Promise<string>;
  has(hash: string): Promise<boolean>;
  stat(hash: string): Promise<BlobStat | undefined>;
  /** All blobs, in no order: for a sweep. One that comes or goes meanwhile may be missed. */
  list(): AsyncIterable<BlobStat & { readonly hash: string }>;
  delete(hash: string): Promise<void>;
  /** Removes what uploads that died have left, where it was last written before a moment (milliseconds since 1970); how many. */
  clean(olderThan: number): Promise<number>;
}

export interface BlobRef {
  /** sha256, lower-case hex. */
  readonly hash: string;
  readonly bytes: number;
}

export interface BlobStat {
  readonly bytes: number;
  /** When its content was last put, milliseconds since 1970; some drivers know it to the second. */
  readonly modifiedAt: number;
}

/** A record with a revision; `put` with a stale revision is STORE_CONFLICT. */
export interface StoredRecord {
  readonly id: string;
  readonly revision: number;
  readonly state: string;
  readonly value: unknown;
  /** When the store wrote it, milliseconds since 1970; stamped by the store. */
  readonly updatedAt?: number;
}

export interface JobEvent {
  /** 1, 2, 3, ... without gaps, per job. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type: string;
  readonly data: unknown;
}

/** Which records to list: sorted by id, and with `limit` the largest ids first, reading no more of them than needed. */
export interface RecordFilter {
  readonly state?: string;
  /** How their ids begin; up to its last `/` it narrows what is searched. */
  readonly prefix?: string;
  /** Only ids below this one. */
  readonly before?: string;
  readonly limit?: number;
}

/** The truth about jobs and stages. Queues only dispatch and can be rebuilt from it. */
export interface JobStore {
  get(id: string): Promise<StoredRecord | undefined>;
  /** Creates (revision 0) or replaces (the revision that was read). Returns the new record. */
  put(record: StoredRecord): Promise<StoredRecord>;
  list(filter?: RecordFilter): Promise<readonly StoredRecord[]>;
  delete(id: string): Promise<void>;
  /**
   * Appends an event and gives it the next id. With `after` only where that is the id of the last event (0: there is
   * none), else STORE_CONFLICT.
   */
  append(
    id: string,
    event: { readonly type: string; readonly data: unknown; readonly at: number },
    after?: number,
  ): Promise<JobEvent>;
  /** Events with id > after, oldest first. */
  events(id: string, after?: number): Promise<readonly JobEvent[]>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment, monotone, with fractions. */
  precise(): number;
}
