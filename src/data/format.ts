import type { Static, TObject } from 'typebox';
import type { RawSample } from './dataset.ts';

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

/**
 * One dataset format: an archive of class folders, IDX files, NPZ, CSV. A dataset may be several files (IDX: images
 * and labels). Adding a format = one such file and one registry line.
 */
export interface DatasetFormat<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
  /** Whether these files are of this format, from their first bytes alone. */
  sniff(files: readonly { readonly name: string; readonly head: Uint8Array }[]): boolean;
  /**
   * Streams the records in a stable order. Unreadable records go to `reject` and are skipped; a file that is no such
   * format at all, or is unsafe (paths that escape, bombs), throws DATA_UNREADABLE.
   */
  open(
    files: readonly Source[],
    options: Static<S>,
    reject: (reject: Reject) => void,
  ): AsyncIterable<RawSample>;
}
