/** One method on one seed, as it is kept. */
export interface MethodResult {
  readonly method: string;
  readonly seed: number;
  /** The spec it was made by: where that has changed, the result is an old one. */
  readonly spec: object;
  readonly outcome: Outcome | Failure;
  /** Commit, machine and day. */
  readonly tree: string;
  readonly machine: string;
  readonly day: string;
}

export interface Outcome {
  /** Shares of the test rows. */
  readonly accuracy: number;
  readonly agreement: number;
  readonly teacher: number;
  /** Share of the validation rows, of the snapshot that was taken. */
  readonly validation: number | null;
  readonly spent: Spent;
  /** Largest resident memory of the process that trained. */
  readonly peakMiB: number;
  readonly engine: string;
  /** What `method: "auto"` has chosen. */
  readonly chosen?: string;
}

export interface Failure {
  readonly error: string;
}

/** Seconds, over all attempts. */
export interface Spent {
  /** Of the stages choose and train, and of the processor in them. */
  readonly train: number;
  readonly cpu: number;
  /** Of everything, the share of a teacher's work included where this run did it. */
  readonly all: number;
}

export const isOutcome = (outcome: MethodResult['outcome']): outcome is Outcome => 'accuracy' in outcome;
