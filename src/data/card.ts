import type { Column, SplitName } from './dataset.ts';
import type { RejectReport } from './rejects.ts';
import type { RowTable } from './store.ts';

/** What a person should know about a dataset before it is used. */
export interface DatasetCard {
  readonly format: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly splits: Readonly<Record<SplitName, { readonly rows: number; readonly unlabelled: number }>>;
  /** All classes there are. */
  readonly classCount: number;
  /** Whether `classes` lacks some, or has names cut short: a card stays small, whatever the data. */
  readonly classesCut: boolean;
  /** In the order of the labels, the first 1000. */
  readonly classes: readonly {
    /** Its first 200 characters. */
    readonly name: string;
    readonly counts: Readonly<Record<SplitName, number>>;
  }[];
  /** Of all classes, listed or not. */
  readonly balance: {
    readonly smallest: number;
    readonly largest: number;
    /** Share of the labelled rows that the largest class holds. */
    readonly majority: number;
  };
  readonly unlabelled: number;
  /** Rows whose content equals that of an earlier row, by exact content. */
  readonly duplicates: {
    readonly within: Readonly<Record<SplitName, number>>;
    /** Rows of validation or test whose content is also in a split before it. */
    readonly across: number;
    /** Of all these, those whose label differs from the earlier row's. */
    readonly conflicting: number;
    /** First pairs [earlier row, row]. */
    readonly examples: readonly (readonly [number, number])[];
  };
  readonly rejects: RejectReport;
}

const shown = 20;
const classesListed = 1000;
const nameListed = 200;
const names = ['train', 'validation', 'test'] as const;

export function datasetCard(
  facts: { format: string; columns: readonly Column[]; classes: readonly string[]; rejects: RejectReport },
  table: Pick<RowTable, 'labels' | 'hashes'>,
  splits: Readonly<Record<SplitName, Uint32Array>>,
): DatasetCard {
  const counts = facts.classes.map(() => ({ train: 0, validation: 0, test: 0 }));
  const totals = {} as Record<SplitName, { rows: number; unlabelled: number }>;
  for (const name of names) {
    totals[name] = { rows: splits[name].length, unlabelled: 0 };
    for (const row of splits[name]) {
      const label = table.labels[row]!;
      if (label < 0) totals[name].unlabelled++;
      else counts[label]![name]++;
    }
  }
  const sums = counts.map(({ train, validation, test }) => train + validation + test);
  const labelled = sums.reduce((sum, count) => sum + count, 0);
  // One by one: as arguments, a few hundred thousand are more than a call takes.
  const largest = sums.reduce((most, count) => Math.max(most, count), 0);
  const smallest = sums.reduce((least, count) => Math.min(least, count), sums[0] ?? 0);
  const listed = facts.classes.slice(0, classesListed);
  return {
    format: facts.format,
    rows: names.reduce((sum, name) => sum + splits[name].length, 0),
    columns: facts.columns.map(({ name, kind, dtype, dims }) => ({ name, kind, dtype, dims })),
    splits: totals,
    classCount: facts.classes.length,
    classesCut: facts.classes.length > classesListed || listed.some((name) => name.length > nameListed),
    classes: listed.map((name, i) => ({ name: cut(name), counts: counts[i]! })),
    balance: {
      smallest,
      largest,
      majority: labelled > 0 ? largest / labelled : 0,
    },
    unlabelled: names.reduce((sum, name) => sum + totals[name].unlabelled, 0),
    duplicates: findDuplicates(table, splits),
    rejects: facts.rejects,
  };
}

/** The beginning of a name, without half a character at its end. */
const cut = (name: string): string =>
  name.length > nameListed ? name.slice(0, nameListed).replace(/[\ud800-\udbff]$/, '') : name;

function findDuplicates(
  { labels, hashes }: Pick<RowTable, 'labels' | 'hashes'>,
  splits: Readonly<Record<SplitName, Uint32Array>>,
): DatasetCard['duplicates'] {
  const first = new Map<bigint, { row: number; split: SplitName }>();
  const words = new BigUint64Array(1);
  const halves = new Uint32Array(words.buffer);
  const within = { train: 0, validation: 0, test: 0 };
  const examples: [number, number][] = [];
  let across = 0;
  let conflicting = 0;
  for (const split of names) {
    for (const row of splits[split]) {
      halves[0] = hashes[2 * row]!;
      halves[1] = hashes[2 * row + 1]!;
      const seen = first.get(words[0]!);
      if (!seen) {
        first.set(words[0]!, { row, split });
        continue;
      }
      if (seen.split === split) within[split]++;
      else across++;
      if (labels[seen.row] !== labels[row]) conflicting++;
      if (examples.length < shown) examples.push([seen.row, row]);
    }
  }
  return { within, across, conflicting, examples };
}
