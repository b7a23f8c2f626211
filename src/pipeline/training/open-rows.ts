import { nearest } from '../../core/nearest.ts';
import { noAugment, planAugment } from '../../data/augment/pipeline.ts';
import { BatchMaker, type BatchPlan } from '../../data/batch.ts';
import { openDataset, type StoredDataset } from '../../data/open-dataset.ts';
import { type InputPlan, planInput } from '../../data/preprocess.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { BlobFolder } from '../blob-folder.ts';
import { withRecovered } from '../inversion/recovered-rows.ts';
import type { BlobRef, BlobStore } from '../ports.ts';
import type { Results } from '../results.ts';
import { hashOf } from '../stage-key.ts';
import { assembledType, declaredFor, preprocessWish } from '../teacher/input-wish.ts';
import type { JobTeacher } from '../teacher/job-teachers.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';

/** The decoded dataset with its splits, and how its rows are fed to the teacher. */
export interface Rows {
  readonly dataset: StoredDataset;
  readonly input: InputPlan;
  /** Rows as they are. */
  readonly plain: BatchMaker;
  /** Rows with the spec's augmentation. */
  augmented(dataset?: StoredDataset): BatchMaker;
  /** Their labels alone, mixed as the augmentation mixes rows, never smoothed. */
  readonly labels: BatchMaker;
}

/** What of the spec decides splits, labels and pixels of the plain rows: part of every key that depends on them. */
export const rowsKey = ({ data, labels, inputs, seed, inversion }: ResolvedSpec) => {
  const { train, validation, test, labelled } = data;
  // Records kept from before such rows left validation are of other rows.
  const apart = test?.from === 'validation' ? { apart: true } : {};
  return { splits: { train, validation, test, labelled, ...apart }, labels, inputs, seed, inversion };
};

type Tools = { readonly blobs: BlobStore; readonly spec: ResolvedSpec };

/** Before the stage `recover` has made training rows, stand-ins take their place. */
type Decoded = Pick<Results, 'decode' | 'inspect'> & Partial<Pick<Results, 'recover'>>;

/** As the job's teacher takes them. */
export async function openRows(done: Decoded, tools: Tools): Promise<Rows> {
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const decoded = await openSplits(done.decode.files, classes, tools);
  return closedOnError(decoded, async () => {
    const { column } = planColumn(decoded, plan, tools.spec);
    const dataset = tools.spec.inversion
      ? await withRecovered(decoded, column, tools.spec.inversion, done.recover ?? null, tools.blobs)
      : decoded;
    return rowsFor(dataset, { plan, inputs: tools.spec.inputs, classes }, tools.spec);
  });
}

/** What is refused here has opened its files already. */
async function closedOnError<T>(dataset: Pick<StoredDataset, 'close'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

/** The same rows in the same order as a further teacher takes them, augmented alike. */
export async function openOtherRows(
  { name, plan, files, inputs }: JobTeacher,
  job: Rows,
  done: Pick<Results, 'decode' | 'inspect'>,
  tools: Tools,
): Promise<Rows & { close(): Promise<void> }> {
  const { classes } = done.inspect.plan.scores;
  const isShared = hashOf(files) === hashOf(done.decode.files);
  const dataset = isShared ? job.dataset : await openSplits(files, classes, tools);
  const close = async () => void (isShared || (await dataset.close()));
  return closedOnError({ close }, async () => {
    const [own, first] = [dataset.index, job.dataset.index];
    if (own.sourcesHash !== first.sourcesHash || own.rows !== first.rows) {
      throw new RetortError(
        'DATA_MISMATCH',
        `of ${first.rows} rows for the job's teacher ${own.rows} could be decoded for "${name}", or others`,
        { hint: 'Leave out the pictures that cannot be decoded in every size and colour.' },
      );
    }
    const frame = job.input.picture && ([job.input.picture[0], job.input.picture[1]] as const);
    const rows = rowsFor(dataset, { plan, inputs, classes, ...(frame ? { frame } : {}) }, tools.spec);
    return { ...rows, close };
  });
}

async function openSplits(
  files: Readonly<Record<string, BlobRef>>,
  outputs: number,
  { blobs, spec }: Tools,
): Promise<StoredDataset> {
  const folder = new BlobFolder(blobs, files);
  const first = await openDataset(folder, { cacheBytes: 0 });
  await first.close();
  const classes = spec.labels.classes ?? classesByNumber(first.classes, outputs);
  const { train, validation, test, labelled } = spec.data;
  const splits = {
    seed: spec.seed,
    ...(train ? { train } : {}),
    ...(validation ? { validation } : {}),
    ...(test ? { test } : {}),
    ...(labelled ? { labelled } : {}),
  };
  return openDataset(folder, { splits, ...(classes ? { classes } : {}) });
}

interface FedInput extends Pick<ResolvedSpec, 'inputs'>, Pick<BatchPlan, 'frame'> {
  readonly plan: TeacherPlan;
  /** Of the job. */
  readonly classes: number;
}

function rowsFor(
  dataset: StoredDataset,
  { plan, inputs, classes, frame }: FedInput,
  { seed, train }: ResolvedSpec,
): Rows {
  const input = planColumn(dataset, plan, { inputs });
  const bare = { seed, labelled: dataset.labelled, classes, ...(frame ? { frame } : {}) };
  const common = { ...bare, inputs: { [plan.input.name]: input }, smoothing: train.labelSmoothing };
  const augment = train.augment.length > 0 ? planAugment(train.augment) : noAugment;
  // Made whether or not it is asked for: what cannot be augmented is refused before anything is computed.
  const augmented = new BatchMaker(dataset, { ...common, augment });
  return {
    dataset,
    input,
    plain: new BatchMaker(dataset, common),
    augmented: (rows) => (rows ? new BatchMaker(rows, { ...common, augment }) : augmented),
    labels: new BatchMaker(dataset, { ...bare, inputs: {}, augment }),
  };
}

function planColumn(
  dataset: StoredDataset,
  plan: TeacherPlan,
  spec: Pick<ResolvedSpec, 'inputs'>,
): InputPlan {
  const { name, shape } = plan.input;
  const wanted = declaredFor(spec, name).column;
  const known = dataset.columns.map((column) => column.name);
  const column = wanted
    ? dataset.columns.find((each) => each.name === wanted)
    : (dataset.columns.find((each) => each.name === name) ?? dataset.columns[0]);
  if (wanted && !column) {
    const meant = nearest(wanted, known);
    throw new RetortError('DATA_MISMATCH', `/inputs/${name}/column: the dataset has no column "${wanted}"`, {
      hint: `${meant ? `Did you mean "${meant}"? ` : ''}It has ${known.join(', ')}.`,
    });
  }
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
