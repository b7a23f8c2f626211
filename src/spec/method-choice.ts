import type { ObjectiveTerm } from '../core/program/build-program.ts';

/** What a method is tried as: without a teacher, as plain KD, standardised, or as a loss that must prove itself. */
export type CandidateRole = 'control' | 'plain' | 'standardized' | 'fancier';

/** What `method: "auto"` has found. Shares between 0 and 1. */
export interface MethodChoice {
  readonly method: string;
  /** In one sentence, for report and model card. */
  readonly reason: string;
  /** The objective it stands for. */
  readonly terms: readonly ObjectiveTerm[];
  /** What was compared: accuracy, or agreement with the teacher where no validation row has a label. */
  readonly measure: 'accuracy' | 'agreement';
  /** Validation rows it was compared on. */
  readonly rows: number;
  /** Length of the short schedules, as a part of the job's. */
  readonly share: number;
  /** How far two short trainings of plain KD that differ in their seed came apart; null where one of them failed. */
  readonly seedSpread: number | null;
  readonly evidence: readonly Evidence[];
}

/** One line of the evidence. */
export interface Evidence {
  readonly method: string;
  readonly role: CandidateRole;
  /** Length of its training as a part of the job's; in choices of earlier versions all were short and none says so. */
  readonly share?: number;
  /** Null where it could not be trained. */
  readonly score: number | null;
  /** Whom it was compared with, by how much it is better, and what luck alone makes of that, null where that is unknown. */
  readonly against: string | null;
  readonly difference: number | null;
  readonly noise: number | null;
  readonly verdict: string;
}
