import type { Static } from 'typebox';
import type { Ensemble } from '../core/ensemble/ensemble.ts';
import type { Inversion } from '../core/inversion/inversion.ts';
import type { EntrySpec } from '../core/options.ts';
import type { Preprocess } from '../core/preprocess.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import type { Phase } from '../core/strategies/phase.ts';
import type { Data, Labels } from './data-section.ts';
import type { MethodChoice } from './method-choice.ts';

/** A spec with every default filled in: what the stages read, what retries and resumes use, what keys are hashed from. */
export interface ResolvedSpec {
  readonly version: 1;
  readonly inputs: Readonly<Record<string, Preprocess>>;
  readonly labels: Static<typeof Labels>;
  readonly data: Static<typeof Data> & { readonly maxRejects: number };
  readonly teacherQuality: { readonly override: boolean };
  readonly student: StudentChoice;
  /** Until the choose stage has settled it; objective and strategy are those of plain KD until then. */
  readonly method?: 'auto';
  /** What it has settled, and why; decides nothing. */
  readonly choice?: MethodChoice;
  readonly strategy: EntrySpec;
  /** What stands for the job's teacher, where further ones join it. */
  readonly ensemble?: Ensemble;
  /** How training rows are recovered from the teacher, where they are. */
  readonly inversion?: Inversion;
  readonly objective: { readonly terms: readonly ObjectiveTerm[] };
  /** What the strategy makes of the objective. */
  readonly phases: readonly Phase[];
  readonly train: ResolvedTrain;
  readonly export: { readonly tolerance: number };
  readonly controls: boolean;
  readonly seed: number;
  /** Students trained; see `trainingSeed`. */
  readonly seeds: number;
}

export type StudentChoice =
  | {
      readonly kind: 'architecture';
      readonly name: string;
      readonly options: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'auto'; readonly limits: StudentLimits }
  | { readonly kind: 'model'; readonly file: string };

export interface StudentLimits {
  readonly maxParams?: number;
  readonly maxMacs?: number;
  readonly maxBytes?: number;
}

export type KernelName = 'onnxruntime' | 'tfjs';

export interface ResolvedTrain {
  /** `auto` until the calibrate stage has settled it. */
  readonly kernel: KernelName | 'auto';
  /** Why it is this one; decides nothing. */
  readonly kernelReason?: string;
  readonly device: 'cpu' | 'cuda';
  /** Where the teacher runs; latency is measured on `device` for all. */
  readonly teacherDevice: 'cpu' | 'cuda' | 'webgpu';
  readonly threads: number;
  /** Rows per run of the teacher; absent until the qualify stage has settled it. */
  readonly teacherRows?: number;
  /** How long: passes over the training rows, or optimizer steps. */
  readonly length: { readonly epochs: number } | { readonly steps: number };
  readonly batchSize: number;
  readonly optimizer: EntrySpec;
  readonly schedule: EntrySpec;
  readonly augment: readonly EntrySpec[];
  readonly labelSmoothing: number;
  readonly clipNorm?: number;
  readonly ema?: { readonly decay: number };
  readonly earlyStopping?: { readonly patience: number };
  readonly select: 'best' | 'last';
  readonly checkpointEvery?: number;
}
