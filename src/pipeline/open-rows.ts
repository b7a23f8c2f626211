import { noAugment, planAugment } from '../data/augment/pipeline.ts';
import { BatchMaker } from '../data/batch.ts';
import { openDataset, type StoredDataset } from '../data/open-dataset.ts';
import { type InputPlan, planInput } from '../data/preprocess.ts';
import { RetortError } from '../errors.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import { BlobFolder } from './blob-folder.ts';
import { assembledType, declaredFor, preprocessWish } from './input-wish.ts';
import type { BlobStore } from './ports.ts';
import type { Results } from './results.ts';
import type { TeacherPlan } from './teacher-plan.ts';

/** The decoded dataset with its splits, and how its rows are fed to the teacher. */
export interface Rows {
  readonly dataset: StoredDataset;
  readonly input: InputPlan;
  /** Rows as they are. */
  readonly plain: BatchMaker;
  /** Rows with the spec's augmentation. */
  augmented(dataset?: StoredDataset): BatchMaker;
}

/** What of the spec decides splits, labels and pixels of the plain rows: part of every key that depends on them. */
export const rowsKey = ({ data, labels, inputs, seed }: ResolvedSpec) => {
  const { train, validation, test, labelled } = data;
  return { splits: { train, validation, test, labelled }, labels, inputs, seed };
};

export async function openRows(
  done: Pick<Results, 'decode' | 'inspect'>,
  { blobs, spec }: { readonly blobs: BlobStore; readonly spec: ResolvedSpec },
): Promise<Rows> {
  const folder = new BlobFolder(blobs, done.decode.files);
  const { plan } = done.inspect;
  const first = await openDataset(folder, { cacheBytes: 0 });
  await first.close();
  const classes = spec.labels.classes ?? classesByNumber(first.classes, plan.scores.classes);
  const { train, validation, test, labelled } = spec.data;
  const splits = {
    seed: spec.seed,
    ...(train ? { train } : {}),
    ...(validation ? { validation } : {}),
    ...(test ? { test } : {}),
    ...(labelled ? { labelled } : {}),
  };
  const dataset = await openDataset(folder, { splits, ...(classes ? { classes } : {}) });
  const input = planColumn(dataset, plan, spec);
  const common = {
    inputs: { [plan.input.name]: input },
    seed: spec.seed,
    smoothing: spec.train.labelSmoothing,
    labelled: dataset.labelled,
    classes: plan.scores.classes,
  };
  const augment = spec.train.augment.length > 0 ? planAugment(spec.train.augment) : noAugment;
  return {
    dataset,
    input,
    plain: new BatchMaker(dataset, common),
    augmented: (rows = dataset) => new BatchMaker(rows, { ...common, augment }),
  };
}

function planColumn(dataset: StoredDataset, plan: TeacherPlan, spec: ResolvedSpec): InputPlan {
  const { name, shape } = plan.input;
  const wanted = declaredFor(spec, name).column;
  const known = dataset.columns.map((column) => column.name);
  const column = wanted
    ? dataset.columns.find((each) => each.name === wanted)
    : (dataset.columns.find((each) => each.name === name) ?? dataset.columns[0]);
  if (!column || (!wanted && dataset.columns.length > 1 && column.name !== name)) {
    throw new RetortError(
      'DATA_MISMATCH',
      `no column is named for the teacher's input "${name}"; the dataset has ${known.join(', ')}`,
      { hint: `Say which: "inputs": {"${name}": {"column": "..."}}.` },
    );
  }
  const dims = shape.map((dim) => dim ?? undefined);
  return planInput(name, preprocessWish(spec, name), column, assembledType(plan), dims);
}

/**
 * Class names to teacher outputs where the spec says nothing: equally many go by sorted order; fewer, when they are
 * numbers, go by their number.
 */
function classesByNumber(
  names: readonly string[],
  outputs: number,
): Readonly<Record<string, number>> | undefined {
  if (names.length === outputs) return undefined;
  const numbers = names.map(Number);
  if (numbers.every((n) => Number.isInteger(n) && n >= 0 && n < outputs)) {
    return Object.fromEntries(names.map((name, i) => [name, numbers[i]!]));
  }
  throw new RetortError('DATA_MISMATCH', `the dataset has ${names.length} classes, the teacher ${outputs}`, {
    hint: 'Give labels.classes: {"class name": index of the teacher\'s output}.',
    problems: names.slice(0, 20).map((name) => `class "${name}"`),
  });
}
