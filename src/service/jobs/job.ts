import type { StoredRecord } from '../../pipeline/ports.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Fault } from '../fault.ts';

/** States a job can be in; see docs/adr/0005 for what each may become. */
export const jobStates = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;

export type JobState = (typeof jobStates)[number];

const terminal: ReadonlySet<string> = new Set<JobState>(['succeeded', 'failed', 'cancelled']);

/** Whether a job in this state will never change again. */
export const isTerminal = (state: JobState): boolean => terminal.has(state);

/** One distillation as the JobStore holds it: the value of the record `job/<id>`. Times are milliseconds since 1970. */
export interface Job {
  /** `d_` and a ULID: sorts by creation. */
  readonly id: string;
  /** Id of the API key that made it; `local` where keys are off. */
  readonly owner: string;
  readonly createdAt: number;
  /** When its first attempt began. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** When retention deletes it; null while it is open. */
  readonly expiresAt: number | null;
  readonly inputs: JobInputs;
  readonly requested: Spec;
  /** Settled by the first attempt on the machine that runs it; later attempts use it unchanged. */
  readonly resolved: ResolvedSpec | null;
  readonly options: JobOptions;
  /** The job this one repeats. */
  readonly retryOf: string | null;
  /** Entries put in the queue so far. */
  readonly dispatch: number;
  /** Attempts begun so far; fences every write of a worker. */
  readonly attempt: number;
  /** Attempts in a row that ended without an answer and without having saved anything. */
  readonly crashes: number;
  /** Attempts in a row that failed for a passing reason and without having saved anything. */
  readonly failures: number;
  /** Name of the worker that runs it. */
  readonly worker: string | null;
  /** Set while a running job waits for groups of parts that others make: no attempt holds it then. */
  readonly fanOut: FanOut | null;
  /** Fan-outs of this dispatch so far. */
  readonly fanOuts: number;
  readonly progress: JobProgress | null;
  readonly stages: readonly JobStage[];
  /** Files to download; only a succeeded job has any. */
  readonly artifacts: readonly Artifact[];
  readonly error: Fault | null;
}

export interface JobInputs {
  readonly teacher: Artifact;
  /** External data of models, and models the spec names, by the name used there. */
  readonly companions: readonly Artifact[];
  readonly data: readonly Artifact[];
}

export interface JobOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: 'low' | 'normal' | 'high';
  /** Days a finished job is kept. */
  readonly retainDays: number;
  /** Seconds from creation after which an unfinished job is cancelled; null: never. */
  readonly cancelAfterSeconds: number | null;
}

export interface JobProgress {
  readonly stage: string;
  /** In units of the stage's own. */
  readonly done: number;
  readonly total: number;
  /** Milliseconds until this stage is done, from its pace so far; null while there is none. */
  readonly etaMs: number | null;
  readonly at: number;
}

/** A stage whose remaining parts were given to helpers in groups. */
export interface FanOut {
  readonly stage: string;
  /** The attempt that gave them away: with it, helpers know that they are still waited for. */
  readonly attempt: number;
  readonly at: number;
  /** Work done before, and in all, in units of the stage's own. */
  readonly before: number;
  readonly total: number;
  /** The work of each group, and what is done of it. */
  readonly groups: readonly { readonly size: number; readonly done: number }[];
}

export interface JobStage {
  readonly name: string;
  readonly state: 'started' | 'skipped' | 'done';
  readonly milliseconds: number;
}

/** A job with the state and revision of its record. */
export interface JobRecord extends Job {
  readonly state: JobState;
  readonly revision: number;
}

export const jobKey = (id: string): string => `job/${id}`;
export const openKey = (id: string): string => `open/${id}`;

export function jobOf({ state, revision, value }: StoredRecord): JobRecord {
  return { ...(value as Job), state: state as JobState, revision };
}

export function recordOf({ state, revision, ...job }: JobRecord): StoredRecord {
  return { id: jobKey(job.id), revision, state, value: job };
}
