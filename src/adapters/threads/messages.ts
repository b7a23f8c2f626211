import type { Batch } from '../../data/batch.ts';
import type { BatchRecipe } from '../../data/batch-recipe.ts';
import type { FarColumn } from '../../pipeline/ports.ts';
import type { Fault } from '../../service/fault.ts';

/** What a thread is started with. */
export interface Task {
  readonly recipe: BatchRecipe;
  readonly columns: readonly FarColumn[];
}

export interface Request {
  readonly id: number;
  readonly rows: Uint32Array;
  readonly epoch: number;
}

export interface Failure {
  readonly fault: Fault;
  /** For the log, where the fault says nothing. */
  readonly stack: string;
}

/** `ready` or `unready` once, then an answer to every request, in order. */
export type Answer =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'unready' } & Failure)
  | { readonly kind: 'batch'; readonly id: number; readonly batch: Batch }
  | ({ readonly kind: 'failed'; readonly id: number } & Failure);
