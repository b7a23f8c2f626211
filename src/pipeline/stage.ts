import type { TrainingKernel } from '../core/program/kernel.ts';
import type { Spec } from '../spec/spec.ts';
import type { BlobRef, BlobStore, Clock, JobStore, Runtime } from './ports.ts';

/** What every stage may use of the outside. */
export interface StageContext {
  readonly spec: Spec;
  readonly blobs: BlobStore;
  readonly jobs: JobStore;
  readonly runtime: Runtime;
  readonly kernels: Readonly<Record<string, TrainingKernel>>;
  readonly clock: Clock;
  /** Scratch folder of this attempt. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  /** Reports work done, in units of the stage's own. */
  progress(done: number, total: number, note?: string): void;
}

/**
 * One step of the journey. It is skipped when a record exists for the same key: the hash of `version`, the hashes of
 * the inputs, the part of the resolved spec it reads and the runtime version.
 */
export interface Stage<In, Out> {
  readonly name: string;
  /** Raised when the stage would make different outputs from the same inputs. */
  readonly version: number;
  /** The part of the spec and the inputs that decide the outputs; hashed into the key. */
  key(input: In, context: StageContext): unknown;
  run(input: In, context: StageContext): Promise<Out>;
}

/** A blob with its place in the manifest. */
export interface Artifact extends BlobRef {
  readonly name: string;
}
