import type { Ensemble } from '../../core/ensemble/ensemble.ts';
import type { Interval } from '../../core/interval.ts';
import type { MetricValue } from '../../core/metrics/metric.ts';
import type { TeacherQuality } from '../../core/metrics/teacher-quality.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import type { FoundPair, FoundWeight } from '../layers/found-pairs.ts';
import type { EnsembleWeights } from '../results.ts';

/** `ensemble`: what the student learned from, where further teachers join the job's own. */
export type ModelRole = 'teacher' | 'ensemble' | 'control' | 'student';

/** What a run says of itself: report.json. Shares are between 0 and 1, times in milliseconds. */
export interface Report {
  readonly version: 1;
  /** On the untouched test split. */
  readonly models: Readonly<Partial<Record<ModelRole, ModelReport>>>;
  /** Who the ensemble was, and how it was made. */
  readonly ensemble?: EnsembleReport;
  /** Names of the outputs, in order. */
  readonly classes: readonly string[];
  /** Rows of the test split that the figures are on: all, unless a warning says otherwise. */
  readonly rows: number;
  /** Where the spec left the method open. */
  readonly choice?: MethodChoice;
  /** Where the spec asked for several seeds. */
  readonly seeds?: SeedsReport;
  readonly latency: Readonly<Partial<Record<ModelRole, readonly Latency[]>>>;
  readonly training: Readonly<Partial<Record<'student' | 'control', TrainingReport>>> & {
    /** What taught, on the rows of the others' validation figures. */
    readonly teacher: Pick<TrainingReport, 'validation'>;
  };
  /** What a reader should know before trusting the figures. */
  readonly warnings: readonly string[];
  readonly ran: {
    readonly kernel: string;
    /** Why it was this kernel. */
    readonly kernelReason: string;
    /** What training and latency ran on. */
    readonly device: string;
    /** What gave the teacher's logits and layers. */
    readonly teacherDevice: string;
    /** Rows per run of the teacher, and why so many. */
    readonly teacherRows: number;
    readonly teacherRowsReason: string;
    /** What trained the student. */
    readonly engine: string;
    /** What ran the teacher and the exported models. */
    readonly runtime: string;
    /** That the delivered student was trained with; of several seeds not always the job's, which made splits and pixels. */
    readonly seed: number;
  };
}

export interface ModelReport {
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly parameters: number;
  readonly macs: number | null;
  readonly bytes: number;
}

/** The same job with several seeds, on the test split; nothing of it chose the student that is delivered. */
export interface SeedsReport {
  /** Index of the delivered student, the best on validation; the control of the report is that of its seed. */
  readonly delivered: number;
  readonly runs: readonly SeedRun[];
  /** By metric, of those that are one number. */
  readonly intervals: Readonly<Record<string, SeedIntervals>>;
}

export interface SeedRun {
  readonly seed: number;
  readonly student: Readonly<Record<string, MetricValue>>;
  readonly control?: Readonly<Record<string, MetricValue>>;
}

/** `difference`: student less control, seed by seed. */
export interface SeedIntervals {
  readonly student: Interval;
  readonly control?: Interval;
  readonly difference?: Interval;
}

export interface EnsembleReport extends Pick<Ensemble, 'combine' | 'temperature' | 'weighting'> {
  /** The job's own first. */
  readonly teachers: readonly TeacherReport[];
  /** Where weights were learned on the validation rows: their likelihood before and after. */
  readonly learned?: EnsembleWeights['learned'];
}

/**
 * One teacher; its metrics are on the test rows of classes it knows, among these, against the ensemble. What an unlabelled
 * row is of, the ensemble says.
 */
export interface TeacherReport extends ModelReport {
  /** `teacher` for the job's own, else its file. */
  readonly name: string;
  /** As given or learned; factors of a row are put on it. */
  readonly weight: number;
  /** Mean over the training rows. */
  readonly meanWeight: number;
  /** Classes it knows; null for all. */
  readonly knows: readonly string[] | null;
  /** Test rows its metrics are on. */
  readonly rows: number;
  /** On labelled rows of training and validation. */
  readonly quality: TeacherQuality | null;
}

export interface Latency {
  readonly batch: number;
  readonly runs: number;
  readonly p50: number;
  readonly p95: number;
}

export interface TrainingReport {
  /** Of all phases together. */
  readonly steps: number;
  /** Step of the exported snapshot. */
  readonly step: number;
  readonly validation: Readonly<Record<string, number | null>>;
  /** In order; the last one made the student. */
  readonly phases: readonly PhaseReport[];
  /** Largest difference between trained and exported logits, relative to the largest logit. */
  readonly parity: number;
  /** How long the kernel had no data in all its steps, and the share of their time; absent where it was not measured. */
  readonly wait?: { readonly milliseconds: number; readonly share: number };
  /** Layers that terms with `auto` compare, where there are any. */
  readonly layers?: readonly FoundPair[];
  /** Weights of terms with `auto`, where there are any. */
  readonly weights?: readonly FoundWeight[];
}

export interface PhaseReport {
  readonly name: string;
  readonly steps: number;
  /** Step, of its own, of the snapshot it hands on. */
  readonly step: number;
  readonly validation: Readonly<Record<string, number | null>>;
}
