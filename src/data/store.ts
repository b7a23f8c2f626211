import type { Column } from './dataset.ts';
import type { RejectReport } from './rejects.ts';

/**
 * How decoded rows lie in a folder: one file of fixed-size records per column, in the order they arrived; `rows.bin`
 * with four sections (record number uint32, label int32, content hash 2 x uint32, given split uint8, each per row, in
 * row order, little-endian); `index.json`, written last.
 */
export interface StoredIndex {
  readonly version: 1;
  readonly format: string;
  readonly rows: number;
  readonly columns: readonly (Column & { readonly file: string })[];
  /** Sorted: as numbers when all are integers, by code units otherwise. */
  readonly classes: readonly string[];
  readonly rejects: RejectReport;
  /** Hash of all row sources in row order: two ingests of one upload agree on it. */
  readonly sourcesHash: string;
}

export const indexFile = 'index.json';
export const rowsFile = 'rows.bin';

/** Row facts; index = row number. */
export interface RowTable {
  /** Position of the row's record in the column files. */
  readonly order: Uint32Array;
  /** Index into `classes`, -1 for none. */
  readonly labels: Int32Array;
  /** Two words per row. */
  readonly hashes: Uint32Array;
  /** 0 train, 1 validation, 2 test, 255 not given. */
  readonly splits: Uint8Array;
}

export const splitCodes = { train: 0, validation: 1, test: 2 } as const;
export const noSplit = 255;

export function encodeRows({ order, labels, hashes, splits }: RowTable): Uint8Array {
  const bytes = new Uint8Array(order.length * 17);
  let at = 0;
  for (const part of [order, labels, hashes, splits]) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return bytes;
}

export function decodeRows(bytes: Uint8Array, rows: number): RowTable {
  const own = bytes.slice();
  return {
    order: new Uint32Array(own.buffer, 0, rows),
    labels: new Int32Array(own.buffer, 4 * rows, rows),
    hashes: new Uint32Array(own.buffer, 8 * rows, 2 * rows),
    splits: new Uint8Array(own.buffer, 16 * rows, rows),
  };
}
