import type { TrainingKernel } from '../core/program/kernel.ts';
import type { Source } from '../data/format.ts';
import type { PictureDecoder } from '../data/picture.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import type { Spec } from '../spec/spec.ts';
import type { Offer, OfferedPart } from './offer.ts';
import type { BatchThreads, BlobRef, BlobStore, Clock, JobStore, Runtime } from './ports.ts';
import type { Results } from './results.ts';

/** What the outside gives a journey. */
export interface Tools {
  readonly blobs: BlobStore;
  readonly jobs: JobStore;
  readonly runtime: Runtime;
  readonly kernels: Readonly<Record<string, TrainingKernel>>;
  readonly pictures: PictureDecoder;
  readonly clock: Clock;
  /** Without them, batches are made between the steps. */
  readonly threads?: BatchThreads;
}

/** What the user gives: the files of a job, or what an earlier upload has stored of them. */
export type Upload = UploadFiles | { readonly stored: Results['ingest'] };

export interface UploadFiles {
  readonly teacher: Source;
  /** Files named by the teacher's external data, and models named by the spec, by the name used there. */
  readonly companions: readonly Source[];
  readonly data: readonly Source[];
}

/** What every stage may use besides the results before it. */
export interface StageContext extends Tools {
  readonly upload: Upload;
  readonly requested: Spec;
  readonly spec: ResolvedSpec;
  /** Work of an earlier, interrupted attempt at the same key. */
  readonly partial: Partial;
  /** Hash that the stage's record goes by; none where it is never skipped. */
  readonly key?: string;
  readonly signal: AbortSignal;
  /** Tells of parts left that other processes could make. */
  offer?(left: OfferedWork): void;
  /** Reports work done, in units of the stage's own. */
  progress(done: number, total: number, note?: string): void;
  /** Appends to the job's events. */
  emit(type: string, data: unknown): Promise<void>;
}

/** An Offer as a stage makes it; its parts are listed when somebody wants to know. */
export interface OfferedWork extends Pick<Offer, 'done' | 'total' | 'milliseconds'> {
  parts(): readonly OfferedPart[];
}

/** A stage's own unfinished work, as JSON (blobs by reference). */
export interface Partial {
  load<T>(): Promise<T | undefined>;
  save(value: unknown): Promise<void>;
}

export type StageName = Exclude<keyof Results, 'timings'>;

/**
 * One step of the journey. It is skipped when a record exists for the same key: the hash of `version`, what `key`
 * returns and the runtime version. Without `key` it runs every time (measurements of time are never cached).
 */
export interface Stage<N extends StageName = StageName> {
  readonly name: N;
  readonly summary: string;
  /** Raised when the stage would make different outputs from the same inputs. */
  readonly version: number;
  /** What decides the outputs: hashes of inputs, and the part of the spec that is read. May be a promise of it. */
  key?(done: Results, context: StageContext): unknown;
  /** JSON, with blobs by reference. */
  run(done: Results, context: StageContext): Promise<Results[N]>;
  /** The spec with what this stage has settled of it; the stages behind it see no other. */
  settle?(done: Results, spec: ResolvedSpec): ResolvedSpec;
  /** Makes some parts only, by the names it has offered them under, for another process that runs the stage. */
  makeParts?(names: readonly string[], done: Results, context: StageContext): Promise<void>;
}

/** A blob with its place in the manifest. */
export interface Artifact extends BlobRef {
  readonly name: string;
}
