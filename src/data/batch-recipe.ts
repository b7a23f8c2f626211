import type { EntrySpec } from '../core/options.ts';
import { planAugment } from './augment/pipeline.ts';
import type { BatchPlan } from './batch.ts';
import type { Dataset } from './dataset.ts';

/** What a BatchMaker is made of, as data that can be sent to another thread: no functions, no open files. */
export interface BatchRecipe extends Pick<Dataset, 'columns' | 'rows' | 'classes' | 'labels'> {
  /** Training rows. */
  readonly train: Uint32Array;
  readonly plan: Omit<BatchPlan, 'augment'>;
  readonly augment: readonly EntrySpec[];
}

export function recipeOf(dataset: Dataset, { augment, ...plan }: BatchPlan): BatchRecipe {
  const { columns, rows, classes, labels, splits } = dataset;
  const steps = augment ? [...augment.geometric, ...(augment.mixing ? [augment.mixing] : [])] : [];
  return {
    columns,
    rows,
    classes,
    labels,
    train: splits.train,
    plan,
    augment: steps.map(({ entry, options }) => ({ name: entry.name, options })),
  };
}

/** The other way round: dataset and plan, with what reads and closes the records. */
export function ingredientsOf(
  { plan, augment, train, ...facts }: BatchRecipe,
  records: Pick<Dataset, 'read' | 'close'>,
): { readonly dataset: Dataset; readonly plan: BatchPlan } {
  const none = new Uint32Array();
  return {
    dataset: { ...facts, ...records, splits: { train, validation: none, test: none } },
    plan: { ...plan, augment: planAugment(augment) },
  };
}
