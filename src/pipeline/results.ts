import type { ClassMap } from '../core/ensemble/class-map.ts';
import type { FittedWeights } from '../core/ensemble/fit-weights.ts';
import type { TeacherQuality } from '../core/metrics/teacher-quality.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import type { DatasetCard } from '../data/card.ts';
import type { MethodChoice } from '../spec/method-choice.ts';
import type { KernelChoice } from './choice/choose-kernel.ts';
import type { LogitsView } from './logits/logits-store.ts';
import type { BlobRef } from './ports.ts';
import type { ModelCard } from './report/model-card.ts';
import type { PhaseReport, Report } from './report/report.ts';
import type { Artifact } from './stage.ts';
import type { RowsChoice } from './teacher/choose-teacher-rows.ts';
import type { InputRange } from './teacher/input-range.ts';
import type { TeacherPlan } from './teacher/teacher-plan.ts';
import type { Timing } from './timing.ts';
import type { TrainedPhase } from './training/training-run.ts';

/** What each stage leaves for those after it: JSON, with blobs by reference. Later ones may rely on earlier ones. */
export interface Results {
  readonly ingest: {
    readonly teacher: Artifact;
    readonly companions: readonly Artifact[];
    readonly data: readonly Artifact[];
  };
  readonly inspect: {
    readonly card: ModelCard;
    readonly plan: TeacherPlan;
    /** Further teachers, in the order of the spec. */
    readonly others?: readonly InspectedTeacher[];
    /** Besides those of the cards. */
    readonly warnings: readonly string[];
  };
  /** The decoded dataset, a blob per file of its folder. */
  readonly decode: {
    readonly files: Readonly<Record<string, BlobRef>>;
    /** The same rows for each further teacher. */
    readonly others?: readonly Readonly<Record<string, BlobRef>>[];
  };
  readonly qualify: {
    readonly card: DatasetCard;
    /** Training rows whose label may be used. */
    readonly labelled: number;
    /** Null where no row has a label to judge by. */
    readonly quality: TeacherQuality | null;
    /** Of each further teacher. */
    readonly others?: readonly QualifiedTeacher[];
    /** Mean and deviation of the numbers the teacher is fed. */
    readonly inputStatistics: { readonly mean: number; readonly deviation: number };
    /** Of whole numbers the teacher is fed; null for pictures and floats. */
    readonly inputRange: InputRange | null;
    readonly teacherRows: RowsChoice;
    readonly warnings: readonly string[];
  };
  /** The terms of the objective with tensors named and weights set; null where none leaves such a thing open. */
  readonly match: { readonly terms: readonly ObjectiveTerm[] | null };
  /** Training rows recovered from the teacher; null where they are the dataset's. */
  readonly recover: RecoveredPictures | null;
  readonly teach: {
    /** One view of the training rows, or one per augmented epoch; none where no loss reads the teacher. */
    readonly train: readonly LogitsView[];
    readonly validation: LogitsView;
    /** Where further teachers join: how much each counts in these views. */
    readonly weights?: EnsembleWeights;
  };
  readonly calibrate: KernelChoice;
  /** Null where the spec says the method itself. */
  readonly choose: MethodChoice | null;
  /** Null where the spec wants none or no row has a label. */
  readonly control: Trained | null;
  readonly train: Trained;
  readonly export: { readonly student: Exported; readonly control: Exported | null };
  readonly evaluate: Pick<Report, 'models' | 'ensemble' | 'classes' | 'rows' | 'seeds' | 'warnings'> & {
    /** Of what taught, on the validation rows that rounds look at. */
    readonly validation: Report['training']['teacher']['validation'];
  };
  readonly measure: Pick<Report, 'latency'>;
  readonly publish: { readonly artifacts: readonly Artifact[] };
  /** How long each stage took; filled by the runner. */
  readonly timings: readonly Timing[];
}

export interface RecoveredPictures {
  /** uint8 [N, H, W, C] as an .npy file. */
  readonly pictures: BlobRef;
  readonly rows: number;
  /** Terms of the loss at the last step, mean over the batches. */
  readonly terms: Readonly<Record<string, number>>;
  /** What computed them, with its version. */
  readonly engine: string;
}

export interface InspectedTeacher {
  readonly file: string;
  readonly card: ModelCard;
  readonly plan: TeacherPlan;
}

export interface QualifiedTeacher {
  /** On the labelled rows of classes it knows, among these classes; null where there are none. */
  readonly quality: TeacherQuality | null;
  /** Null where its outputs are the classes of the job. */
  readonly map: ClassMap | null;
}

/** Weights of the teachers, the job's own first; each list adds up to 1. */
export interface EnsembleWeights {
  /** As given, or learned: those that factors of a row are put on. */
  readonly weights: readonly number[];
  /** Mean over the training rows of the first view. */
  readonly mean: readonly number[];
  /** Where they were learned. */
  readonly learned?: Omit<FittedWeights, 'weights'>;
}

/** A run in all its phases: the last one's snapshot; steps and log of all together. */
export interface Trained extends Omit<TrainedPhase, 'name'> {
  readonly phases: readonly PhaseReport[];
  /** With several seeds: the trainings of all, of which this is the `chosen`. */
  readonly repeated?: { readonly runs: readonly Trained[]; readonly chosen: number };
}

export interface Exported {
  readonly model: BlobRef;
  /** The same graph up to the class scores, for measuring. */
  readonly tapped: BlobRef;
  readonly card: ModelCard;
  /** Largest difference between trained and exported logits, and the largest logit it is relative to. */
  readonly parity: { readonly difference: number; readonly scale: number; readonly rows: number };
}
