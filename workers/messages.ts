import type { Offer, PartsOrder } from '../src/pipeline/offer.ts';
import type { Artifact, StageName } from '../src/pipeline/stage.ts';
import type { Fault } from '../src/service/fault.ts';
import type { JobInputs, JobStage } from '../src/service/jobs/job.ts';
import type { ResolvedSpec } from '../src/spec/resolved-spec.ts';
import type { Spec } from '../src/spec/spec.ts';

/** What supervisor and child say to each other over IPC. Ids and JSON, never tensors. */

/** First message to the child. */
export interface Assignment {
  readonly inputs: JobInputs;
  readonly requested: Spec;
  /** Null on the first attempt: the child settles it and says so. */
  readonly resolved: ResolvedSpec | null;
  readonly device: 'cpu' | 'cuda';
  /** Threads a job may use where its spec leaves it open; 0 leaves it to the engine. */
  readonly threads: number;
  /** What is left of a stage is offered to helpers when it would take longer; null: never. */
  readonly offerAboveMs: number | null;
  /** Where the process helps another: it makes these parts of that stage and nothing else. */
  readonly help: { readonly stage: StageName; readonly order: PartsOrder } | null;
}

export type ChildMessage =
  /** A sign of life, every second or so. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'resolved'; readonly spec: ResolvedSpec }
  | { readonly kind: 'stage'; readonly stage: JobStage }
  | { readonly kind: 'progress'; readonly stage: string; readonly done: number; readonly total: number }
  | { readonly kind: 'event'; readonly type: string; readonly data: unknown }
  /** A checkpoint, a shard or a stage lies in the store. */
  | { readonly kind: 'saved' }
  /** Parts that others could make; the child goes on with them until it is stopped. */
  | { readonly kind: 'offer'; readonly offer: Offer }
  /** A helper has no artifacts. */
  | { readonly kind: 'succeeded'; readonly artifacts: readonly Artifact[] }
  | { readonly kind: 'failed'; readonly fault: Fault; readonly retryable: boolean; readonly stack?: string }
  | { readonly kind: 'stopped' };
