import { RetortError } from '../errors.ts';
import { type DatasetCard, datasetCard } from './card.ts';
import { classOrder } from './class-order.ts';
import { type ColumnData, ColumnReader } from './column-reader.ts';
import type { Dataset } from './dataset.ts';
import type { Folder } from './folder.ts';
import { givenSplits, resolveSplits, type SplitRequest } from './split.ts';
import { decodeRows, indexFile, rowsFile, type StoredIndex } from './store.ts';

export interface OpenOptions {
  /** Selections and seed; without them the given splits as they are, and none made. */
  readonly splits?: SplitRequest;
  /** Class name to label; default: classes in sorted order. */
  readonly classes?: Readonly<Record<string, number>>;
  /** Columns up to this many bytes in all are kept in memory; others are read by position. */
  readonly cacheBytes?: number;
}

export interface StoredDataset extends Dataset {
  /** Per row: 1 where the label may be used in training (the rest count as unlabelled). */
  readonly labelled: Uint8Array;
  readonly index: StoredIndex;
  /** Of these splits; default: its own. */
  card(of?: Dataset['splits']): DatasetCard;
  /** What another thread needs to read the same records. */
  columnData(): readonly ColumnData[];
}

/** Opens what `ingest` wrote. */
export async function openDataset(folder: Folder, options: OpenOptions = {}): Promise<StoredDataset> {
  const index = JSON.parse(new TextDecoder().decode(await readAll(folder, indexFile))) as StoredIndex;
  const table = decodeRows(await readAll(folder, rowsFile), index.rows);
  const { classes, labels } = classOrder(index.classes, table.labels, options.classes);
  const { splits, labelled } = options.splits
    ? resolveSplits(labels, table.splits, options.splits)
    : {
        splits: givenSplits(table.splits),
        labelled: Uint8Array.from(labels, (label) => (label < 0 ? 0 : 1)),
      };

  const columns = new Map<string, ColumnReader>();
  let budget = options.cacheBytes ?? 512 * 2 ** 20;
  for (const column of index.columns) {
    const source = await folder.source(column.file);
    const reader = new ColumnReader({ ...column, order: table.order }, source);
    columns.set(column.name, reader);
    if (source.size > budget) continue;
    budget -= source.size;
    await reader.load();
  }
  return {
    columns: index.columns,
    rows: index.rows,
    classes,
    labels,
    splits,
    labelled,
    index,
    columnData: () => [...columns.values()].map((column) => column.data),
    card: (of = splits) => datasetCard({ ...index, classes }, { labels, hashes: table.hashes }, of),
    async read(name, rows) {
      const column = columns.get(name);
      if (!column) {
        const known = [...columns.keys()].join(', ');
        throw new RetortError('DATA_MISMATCH', `the dataset has no column ${name}; it has ${known}`);
      }
      return column.read(rows);
    },
    async close() {
      for (const column of columns.values()) await column.close();
    },
  };
}

async function readAll(folder: Folder, name: string): Promise<Uint8Array> {
  const source = await folder.source(name);
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}
