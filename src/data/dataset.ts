import type { NDArray } from '../core/ndarray.ts';

export type SplitName = 'train' | 'validation' | 'test';

/** A decoded column. Rows lie one after another in fixed-size records, read by position. */
export interface Column {
  readonly name: string;
  /** `image`: uint8 [H, W, C], RGB or grey. `array`: any numeric record. */
  readonly kind: 'image' | 'array';
  readonly dtype: 'uint8' | 'float32' | 'int32' | 'int64';
  /** Shape of one row. */
  readonly dims: readonly number[];
}

/** Decoded, split and labelled rows: what teaching, training and evaluation read. Rows are numbered from 0. */
export interface Dataset {
  readonly columns: readonly Column[];
  readonly rows: number;
  /** Class names in label order; the label is an index into this list. */
  readonly classes: readonly string[];
  /** One per row; -1 for a row without a label. */
  readonly labels: Int32Array;
  /** Row numbers, ascending. */
  readonly splits: Readonly<Record<SplitName, Uint32Array>>;
  /** The raw records of these rows, dims [rows.length, ...dims]. */
  read(column: string, rows: ArrayLike<number>): Promise<NDArray>;
  close(): Promise<void>;
}

/** One record as a format yields it, before decoding: nothing is trusted yet. */
export interface RawSample {
  /** Where it came from, for messages: archive path, or file and row. */
  readonly source: string;
  /** Given split, where the dataset says so. */
  readonly split?: SplitName;
  /** Class as written in the data; undefined for an unlabelled row. */
  readonly label?: string;
  /** Encoded picture bytes, or a decoded array, by column name. */
  readonly values: Readonly<Record<string, { readonly encoded: Uint8Array } | NDArray>>;
}
