import type { Source } from './format.ts';

/** Where a decoded dataset lies: a few flat files. An adapter decides on what. */
export interface Folder {
  /** Creates or replaces a file. */
  writer(name: string): Promise<Writer>;
  /** FILE_UNREADABLE when there is none. */
  source(name: string): Promise<Source & { close(): Promise<void> }>;
}

export interface Writer {
  /** Appends; the bytes may be reused once this resolves. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
