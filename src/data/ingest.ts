import type { NDArray } from '../core/ndarray.ts';
import { resolveOptions } from '../core/options.ts';
import { RetortError } from '../errors.ts';
import { unpack } from './archives/unpack.ts';
import { contentHash } from './content-hash.ts';
import type { Column, RawSample } from './dataset.ts';
import type { Folder, Writer } from './folder.ts';
import type { DatasetFormat, Source } from './format.ts';
import { isPicture } from './formats/raw-array.ts';
import { orderedMap } from './ordered-map.ts';
import type { PictureDecoder, PictureWish } from './picture.ts';
import { Rejects } from './rejects.ts';
import { RowLog } from './row-log.ts';
import { sniff } from './sniff.ts';
import { encodeRows, indexFile, rowsFile, type StoredIndex } from './store.ts';
import type { Limits } from './upload.ts';

export interface IngestRequest {
  readonly files: readonly Source[];
  /** Default: sniffed. */
  readonly format?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Where the labels are (`labels.column`), in formats that ask. */
  readonly labelColumn?: string;
  /** Size and colour pictures are stored in. */
  readonly pictures?: PictureWish;
  /** Largest share of records that may be rejected. */
  readonly maxRejects?: number;
  readonly decoder: PictureDecoder;
  readonly folder: Folder;
  readonly limits?: Limits;
  /** Records decoded at the same time; the result does not depend on it. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  progress?(rows: number): void;
}

/** Decodes an upload into a folder of fixed-size records (see store.ts) and returns its index. */
export async function ingest(request: IngestRequest): Promise<StoredIndex> {
  const upload = await unpack(request.files, request.limits);
  const format = await sniff(upload, request.format);
  const options = resolveOptions(
    format.options,
    givenOptions(format, request),
    `data.options (${format.name})`,
  );
  const rejects = new Rejects();
  const rows = new RowLog();
  const columns = new ColumnFiles(request.folder);
  const wish = { ...request.pictures };

  const decode = async (sample: RawSample): Promise<Decoded> => {
    const values: [string, NDArray][] = [];
    for (const [name, value] of Object.entries(sample.values)) {
      const isImage = 'encoded' in value || isPicture(value);
      const array = isImage ? await request.decoder.decode(value, wish) : value;
      if ('reason' in array) return { sample, reason: `${array.reason}` };
      values.push([name, array]);
    }
    return { sample, values };
  };
  const accept = async ({ sample, values, reason }: Decoded): Promise<void> => {
    if (request.signal?.aborted) {
      throw new RetortError('CANCELLED', 'stopped while decoding the dataset', {
        hint: 'Run the same command again.',
      });
    }
    const misfit = reason ?? columns.misfit(values!);
    if (misfit !== undefined) return rejects.add({ source: sample.source, reason: misfit });
    if (!columns.known) {
      await columns.define(values!);
      settle(wish, columns.columns);
    }
    rows.add(sample, hashOf(values!));
    await columns.write(values!);
    if (rows.length % 256 === 0) request.progress?.(rows.length);
  };

  try {
    const samples = format.open(upload, options, rejects.add)[Symbol.asyncIterator]();
    // One by one until the first good record has decided what the columns are.
    while (!columns.known) {
      const next = await samples.next();
      if (next.done) break;
      await accept(await decode(next.value));
    }
    const rest = { [Symbol.asyncIterator]: () => samples };
    for await (const decoded of orderedMap(rest, request.concurrency ?? 32, decode)) await accept(decoded);
  } finally {
    await columns.close();
  }
  rejects.check(upload.name, rows.length, request.maxRejects ?? 0.01, format.summary);
  if (rows.length === 0) throw new RetortError('DATA_EMPTY', `${upload.name}: holds no records`);

  const { table, classes, sourcesHash } = rows.finish(format.order);
  const index: StoredIndex = {
    version: 1,
    format: format.name,
    rows: rows.length,
    columns: columns.columns.map((column) => ({ ...column, file: columnFile(column.name) })),
    classes,
    rejects: rejects.report(),
    sourcesHash,
  };
  await put(request.folder, rowsFile, encodeRows(table));
  await put(request.folder, indexFile, new TextEncoder().encode(`${JSON.stringify(index, null, 1)}\n`));
  request.progress?.(rows.length);
  return index;
}

function givenOptions(
  format: DatasetFormat,
  { labelColumn, options }: IngestRequest,
): Record<string, unknown> {
  if (labelColumn === undefined) return { ...options };
  if (format.labelOption !== undefined) return { [format.labelOption]: labelColumn, ...options };
  throw new RetortError('SPEC_INVALID', `labels.column: ${format.name} has no label column`, {
    hint: 'Leave it out; the labels are part of the format.',
  });
}

interface Decoded {
  readonly sample: RawSample;
  readonly values?: readonly (readonly [string, NDArray])[];
  readonly reason?: string;
}

type Values = readonly (readonly [string, NDArray])[];

/** The column files while they are written. */
class ColumnFiles {
  columns: readonly Column[] = [];
  readonly #folder: Folder;
  #writers: Writer[] = [];

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  get known(): boolean {
    return this.columns.length > 0;
  }

  async define(values: Values): Promise<void> {
    this.columns = values.map(([name, array]) => ({
      name,
      kind: isPicture(array) ? 'image' : 'array',
      dtype: array.dtype as Column['dtype'],
      dims: array.dims,
    }));
    for (const { name } of this.columns) this.#writers.push(await this.#folder.writer(columnFile(name)));
  }

  /** Why these values are no row of this dataset, or undefined. */
  misfit(values: Values): string | undefined {
    for (const [i, column] of this.columns.entries()) {
      const [name, { dims, dtype }] = values[i] ?? ['nothing', { dims: [], dtype: 'nothing' }];
      if (name === column.name && dtype === column.dtype && String(dims) === String(column.dims)) continue;
      return `${name} is ${dtype} [${dims.join(', ')}], not ${column.dtype} [${column.dims.join(', ')}]`;
    }
    return undefined;
  }

  async write(values: Values): Promise<void> {
    for (const [i, [, array]] of values.entries()) await this.#writers[i]!.write(bytesOf(array));
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close();
  }
}

/** What the first picture was holds for all after it. */
function settle(
  wish: { size?: readonly [number, number]; colour?: 'RGB' | 'grey' },
  columns: readonly Column[],
): void {
  const picture = columns.find((column) => column.kind === 'image');
  if (!picture) return;
  wish.size ??= [picture.dims[0]!, picture.dims[1]!];
  wish.colour ??= picture.dims[2] === 1 ? 'grey' : 'RGB';
}

function hashOf(values: Values): [number, number] {
  let hash: [number, number] = [0, 0x9747b28c];
  for (const [, array] of values) hash = contentHash(bytesOf(array), hash);
  return hash;
}

function bytesOf({ data }: NDArray): Uint8Array {
  const typed = data as Uint8Array;
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

/** A column's name may hold anything; its file's must not. */
const columnFile = (name: string): string => `column-${encodeURIComponent(name).replaceAll('.', '%2E')}.bin`;

async function put(folder: Folder, name: string, bytes: Uint8Array): Promise<void> {
  const writer = await folder.writer(name);
  await writer.write(bytes);
  await writer.close();
}
