import { Random } from '../core/random.ts';
import { RetortError } from '../errors.ts';
import type { SplitName } from './dataset.ts';
import { splitCodes } from './store.ts';

/** Rows of a given split: [from, to) of every class in row order, then the leading fraction of those. */
export interface Selection {
  readonly from?: SplitName;
  readonly perClass?: readonly [number, number];
  readonly fraction?: number;
}

export interface SplitRequest {
  readonly train?: Selection;
  readonly validation?: Selection;
  readonly test?: Selection;
  /** Training rows whose labels may be used, counted before other splits are carved out; default: all that have one. */
  readonly labelled?: Selection;
  readonly seed: number;
}

export interface ResolvedSplits {
  readonly splits: Readonly<Record<SplitName, Uint32Array>>;
  /** Per row: 1 where the label may be used. */
  readonly labelled: Uint8Array;
}

/** Share of the training rows carved out where a split is not given. */
export const carved = { test: 0.15, validation: 0.1 } as const;

/**
 * The rows of each split. Given splits are kept; selections narrow them; missing ones are carved out of the training
 * rows, seeded and stratified, test before validation. Validation and training never touch test: it takes its rows first,
 * from whichever split, and the others count and get what is left there.
 */
export function resolveSplits(labels: Int32Array, given: Uint8Array, request: SplitRequest): ResolvedSplits {
  refuseTestRows(request);
  const pools = givenPools(given);
  const { seed } = request;

  const test = request.test
    ? select(pools, labels, request.test, 'test')
    : pools.test.length > 0
      ? pools.test
      : carve(labels, pools.train, carved.test, seed, 'split:test');
  const free = {
    ...pools,
    train: without(pools.train, test),
    validation: without(pools.validation, test),
  };

  const chosen = request.validation
    ? select(
        free,
        labels,
        request.validation,
        'validation',
        free.validation.length > 0 ? 'validation' : 'train',
      )
    : free.validation;
  let train = request.train ? select(free, labels, request.train, 'train') : without(free.train, chosen);
  const shared = train.length - without(train, chosen).length;
  if (shared > 0) {
    throw new RetortError('SPEC_INVALID', `data.train and data.validation share ${shared} rows`, {
      hint: 'Choose perClass ranges that do not overlap.',
    });
  }
  const validation =
    chosen.length > 0 || request.validation
      ? chosen
      : carve(labels, train, carved.validation, seed, 'split:validation');
  train = without(train, validation);

  const splits = { train: asRows(train), validation: asRows(validation), test: asRows(test) };
  for (const name of ['train', 'validation', 'test'] as const) {
    if (splits[name].length > 0) continue;
    throw new RetortError('DATA_EMPTY', `the ${name} split holds no rows`, {
      hint: `Give more rows with labels (others only train), or choose others in data.${name}.`,
    });
  }
  return { splits, labelled: labelledMask(labels, pools, train, request.labelled) };
}

/** The given splits as they are; rows without one are training rows. */
export function givenSplits(given: Uint8Array): Record<SplitName, Uint32Array> {
  const { train, validation, test } = givenPools(given);
  return { train: asRows(train), validation: asRows(validation), test: asRows(test) };
}

type Rows = readonly number[];
type Pools = Readonly<Record<SplitName, Rows>>;

function givenPools(given: Uint8Array): Pools {
  const pools: Record<SplitName, number[]> = { train: [], validation: [], test: [] };
  for (let row = 0; row < given.length; row++) {
    if (given[row] === splitCodes.test) pools.test.push(row);
    else if (given[row] === splitCodes.validation) pools.validation.push(row);
    else pools.train.push(row);
  }
  return pools;
}

function refuseTestRows(request: SplitRequest): void {
  for (const name of ['train', 'validation', 'labelled'] as const) {
    if (request[name]?.from !== 'test') continue;
    throw new RetortError('SPEC_INVALID', `data.${name} must not come from the test split`, {
      hint: 'The test split is touched once, for the report.',
    });
  }
}

function select(
  pools: Pools,
  labels: Int32Array,
  selection: Selection,
  name: SplitName,
  from: SplitName = name,
): Rows {
  const pool = pools[selection.from ?? from];
  const rows: number[] = [];
  for (const [label, members] of byClass(labels, pool)) {
    // Rows without a label are no class: perClass does not speak of them.
    const ranged = selection.perClass && label >= 0 ? members.slice(...selection.perClass) : members;
    const count =
      selection.fraction === undefined ? ranged.length : Math.round(selection.fraction * ranged.length);
    if (label < 0 && name !== 'train' && hasLabels(labels)) continue;
    for (const row of ranged.slice(0, count)) rows.push(row);
  }
  if (rows.length === 0) {
    throw new RetortError(
      'DATA_EMPTY',
      `data.${name} selects no rows: the ${selection.from ?? from} split holds ${pool.length}${name === 'test' ? '' : ' besides test'}`,
      {
        hint: 'Look at the dataset card for the rows per class and split.',
      },
    );
  }
  return rows.sort((a, b) => a - b);
}

/** Without a single label all rows are of a kind: any may validate and test, where the teacher is what is compared with. */
const hasLabels = (labels: Int32Array): boolean => labels.some((label) => label >= 0);

/** A seeded share of every class; no unlabelled rows beside labelled ones, never the last row of a class. */
function carve(labels: Int32Array, pool: Rows, share: number, seed: number, stream: string): Rows {
  const rows: number[] = [];
  for (const [label, members] of byClass(labels, pool)) {
    if (label < 0 && hasLabels(labels)) continue;
    const count = Math.min(
      members.length - 1,
      Math.max(members.length > 2 ? 1 : 0, Math.round(share * members.length)),
    );
    new Random(seed, stream, label).shuffle(members);
    for (const row of members.slice(0, count)) rows.push(row);
  }
  return rows.sort((a, b) => a - b);
}

function labelledMask(
  labels: Int32Array,
  pools: Pools,
  train: Rows,
  selection: Selection | undefined,
): Uint8Array {
  const mask = Uint8Array.from(labels, (label) => (label >= 0 ? 1 : 0));
  if (!selection) return mask;
  const chosen = new Set(select(pools, labels, selection, 'train'));
  for (const row of train) if (!chosen.has(row)) mask[row] = 0;
  if (!train.some((row) => mask[row])) {
    throw new RetortError('DATA_EMPTY', 'data.labelled leaves no training row with a label', {
      hint: 'Choose among the rows of data.train, or leave it out to use every label.',
    });
  }
  return mask;
}

function byClass(labels: Int32Array, rows: Rows): Map<number, number[]> {
  const classes = new Map<number, number[]>();
  for (const row of rows) {
    const members = classes.get(labels[row]!);
    if (members) members.push(row);
    else classes.set(labels[row]!, [row]);
  }
  return classes;
}

function without(rows: Rows, taken: Rows): Rows {
  if (taken.length === 0) return rows;
  const set = new Set(taken);
  return rows.filter((row) => !set.has(row));
}

const asRows = (rows: Rows): Uint32Array => Uint32Array.from(rows);
