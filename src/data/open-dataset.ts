import type { NDArray } from '../core/ndarray.ts';
import { dtypes } from '../core/onnx/dtype.ts';
import { sizeOf } from '../core/onnx/tensor.ts';
import { invariant, RetortError } from '../errors.ts';
import { type DatasetCard, datasetCard } from './card.ts';
import { classOrder } from './class-order.ts';
import type { Column, Dataset } from './dataset.ts';
import type { Folder } from './folder.ts';
import type { Source } from './format.ts';
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
    const reader = new ColumnReader(column, source, table.order);
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

/** Most position reads under way at once. */
const depth = 64;

class ColumnReader {
  readonly #column: Column;
  readonly #source: Source & { close(): Promise<void> };
  readonly #order: Uint32Array;
  readonly #bytes: number;
  #all: Uint8Array | undefined;

  constructor(column: Column, source: Source & { close(): Promise<void> }, order: Uint32Array) {
    this.#column = column;
    this.#source = source;
    this.#order = order;
    this.#bytes = (sizeOf(column.dims) * dtypes[column.dtype].bits) / 8;
    if (source.size !== this.#bytes * order.length) {
      throw new RetortError('STORE_CORRUPT', `${source.name}: ${source.size} bytes for ${order.length} rows`);
    }
  }

  async load(): Promise<void> {
    this.#all = await this.#source.read(0, this.#source.size);
  }

  async read(rows: ArrayLike<number>): Promise<NDArray> {
    const { dtype, dims } = this.#column;
    const size = this.#bytes;
    const out = new Uint8Array(rows.length * size);
    for (let i = 0; i < rows.length; i++) invariant(rows[i]! < this.#order.length, `no row ${rows[i]}`);
    if (this.#all) {
      for (let i = 0; i < rows.length; i++) {
        const at = this.#order[rows[i]!]! * size;
        out.set(this.#all.subarray(at, at + size), i * size);
      }
    } else {
      await this.#fetch(rows, out);
    }
    const Ctor = dtypes[dtype].array;
    return {
      dtype,
      dims: [rows.length, ...dims],
      data: new Ctor(out.buffer, 0, out.byteLength / (dtypes[dtype].bits / 8)),
    };
  }

  /** By position; runs of neighbouring records in one read. */
  async #fetch(rows: ArrayLike<number>, out: Uint8Array): Promise<void> {
    const size = this.#bytes;
    let reads: Promise<void>[] = [];
    for (let i = 0; i < rows.length; ) {
      const start = this.#order[rows[i]!]!;
      let run = 1;
      while (i + run < rows.length && this.#order[rows[i + run]!] === start + run) run++;
      const at = i * size;
      reads.push(this.#source.read(start * size, run * size).then((bytes) => out.set(bytes, at)));
      i += run;
      if (reads.length < depth) continue;
      await Promise.all(reads);
      reads = [];
    }
    await Promise.all(reads);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

async function readAll(folder: Folder, name: string): Promise<Uint8Array> {
  const source = await folder.source(name);
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}
