import type { DType } from '../../core/onnx/dtype.ts';
import type { IndexedTable } from '../../core/onnx/indexed-table.ts';
import type { BlobRef } from '../ports.ts';

/** How the teacher is run: settled by the inspection, used by every stage that asks the teacher. */
export interface TeacherPlan {
  /** The teacher with its class scores as an output, and a dynamic batch where that was possible. */
  readonly model: BlobRef;
  /** Rows per run; null for any number. */
  readonly batch: number | null;
  /** The input that is fed from data. */
  readonly input: {
    readonly name: string;
    readonly dtype: DType;
    /** Of one row; null for dimensions the model leaves open. */
    readonly shape: readonly (number | null)[];
  };
  /** The smallest table that the numbers of that input pick rows from: it holds ids then. */
  readonly table?: IndexedTable;
  /** Inputs that get the same numbers for every row. */
  readonly constants: readonly ConstantInput[];
  readonly scores: ScoresTap;
}

export interface ConstantInput {
  readonly name: string;
  readonly dtype: DType;
  /** -1 - k stands for dimension k of the rows [N, ...] that it comes with: -1 for the batch. */
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

export interface ScoresTap {
  readonly name: string;
  readonly classes: number;
  /** Probabilities are turned into logits by their logarithm. */
  readonly kind: 'logits' | 'probabilities';
}
