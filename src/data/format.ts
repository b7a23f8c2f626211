import type { Static, TObject } from 'typebox';
import type { RawSample } from './dataset.ts';
import type { Upload } from './upload.ts';

/** Bytes a format may read: by position, so that archives of any size stay out of memory. */
export interface Source {
  /** File name as uploaded; a hint for messages, never trusted. */
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  stream(offset?: number, end?: number): AsyncIterable<Uint8Array>;
}

export interface Reject {
  readonly source: string;
  readonly reason: string;
}

/** The beginning of one file of the upload, containers opened. */
export interface Head {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * One dataset format: folders of pictures, IDX, NPZ, CSV. Formats see files, never containers: zip, tar and gzip are
 * opened before. Adding a format = one such file and one registry line.
 */
export interface DatasetFormat<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
  /** The option that names where the labels are, for `labels.column` of the spec. */
  readonly labelOption?: string;
  /** Order of rows: by `source` within the dataset, or as the records come. */
  readonly order: 'source' | 'file';
  /** Whether these files are of this format, by their first bytes alone. */
  sniff(heads: readonly Head[]): boolean;
  /**
   * Streams the records in a stable order. Unreadable records go to `reject` and are skipped; an upload that is no
   * such format at all throws DATA_UNREADABLE.
   */
  open(upload: Upload, options: Static<S>, reject: (reject: Reject) => void): AsyncIterable<RawSample>;
}
