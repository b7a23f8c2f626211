/** What a format reads: the files of an upload once its containers (zip, tar, gzip) are opened. */
export interface Upload {
  /** Names of the uploaded files, for messages. */
  readonly name: string;
  /** In a stable order: zip entries by path, tar entries as they lie. May be walked more than once. */
  entries(): AsyncIterable<Entry>;
}

export interface Entry {
  /** Relative, segments joined by '/', without '.', '..' or empty ones. A hint, never trusted for the content. */
  readonly path: string;
  /** Bytes once unpacked, where that is known beforehand. */
  readonly size: number | undefined;
  /** The first bytes, fewer than asked only at the end of the entry. */
  head(bytes: number): Promise<Uint8Array>;
  /** All bytes; DATA_UNREADABLE when damaged, not a plain file or above `memoryBytes`. */
  read(): Promise<Uint8Array>;
  stream(): AsyncIterable<Uint8Array>;
}

/** What an archive may cost before it is refused as unsafe. */
export interface Limits {
  readonly entries: number;
  /** Largest entry, unpacked. */
  readonly entryBytes: number;
  /** Largest entry that is read whole into memory (a picture). */
  readonly memoryBytes: number;
  /** All entries together, unpacked. */
  readonly totalBytes: number;
  /** Unpacked over packed bytes, looked at once `ratioFloor` bytes are unpacked. */
  readonly ratio: number;
  readonly ratioFloor: number;
}

export const defaultLimits: Limits = {
  entries: 4_000_000,
  entryBytes: 16 * 2 ** 30,
  memoryBytes: 256 * 2 ** 20,
  totalBytes: 256 * 2 ** 30,
  ratio: 200,
  ratioFloor: 64 * 2 ** 20,
};
