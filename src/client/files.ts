/** A file to send: a File, a Blob, or either a Blob or a stream under a name. A stream is sent once, never again. */
export type FileInput = Blob | NamedFile;

export interface NamedFile {
  readonly name: string;
  readonly data: Blob | ReadableStream<Uint8Array>;
}

export interface Part {
  /** Name of the form field. */
  readonly field: string;
  readonly file: NamedFile;
}

/** Gives a file its name: its own, or the one that is given for lack of any. */
export function named(file: FileInput, fallback: string): NamedFile {
  if (!(file instanceof Blob)) return file;
  const { name } = file as Blob & { readonly name?: unknown };
  return { name: typeof name === 'string' && name !== '' ? name : fallback, data: file };
}

export const isStream = (data: NamedFile['data']): data is ReadableStream<Uint8Array> =>
  !(data instanceof Blob);
