import type { NDArray } from '../core/ndarray.ts';
import { dtypes } from '../core/onnx/dtype.ts';
import { sizeOf } from '../core/onnx/tensor.ts';
import { invariant, RetortError } from '../errors.ts';
import type { Column } from './dataset.ts';
import type { Source } from './format.ts';

/** Where the records of a column lie. */
export interface ColumnData extends Column {
  readonly file: string;
  /** Position of each row's record. */
  readonly order: Uint32Array;
  /** All records, in memory that threads share; undefined where they are read from the file. */
  readonly bytes?: Uint8Array<SharedArrayBuffer>;
}

type Records = Pick<Source, 'name' | 'size' | 'read'> & { close(): Promise<void> };

/** Most bytes read at once into memory. */
const BLOCK = 8 * 2 ** 20;

/** Most position reads under way at once. */
const depth = 64;

/** Reads records of a column: from memory once they are loaded, else by position. */
export class ColumnReader {
  readonly #data: ColumnData;
  readonly #source: Records;
  /** Of one record. */
  readonly #bytes: number;
  #all: ColumnData['bytes'];

  /** `source` is closed with the reader. */
  constructor(data: ColumnData, source: Records) {
    this.#data = data;
    this.#source = source;
    this.#bytes = (sizeOf(data.dims) * dtypes[data.dtype].bits) / 8;
    this.#all = data.bytes;
    const { name, size } = source;
    if (size !== this.#bytes * data.order.length) {
      throw new RetortError('STORE_CORRUPT', `${name}: ${size} bytes for ${data.order.length} rows`);
    }
  }

  /** What a reader of another thread is made of. */
  get data(): ColumnData {
    return { ...this.#data, ...(this.#all ? { bytes: this.#all } : {}) };
  }

  async load(): Promise<void> {
    const { size } = this.#source;
    const all = new Uint8Array(new SharedArrayBuffer(size));
    for (let at = 0; at < size; at += BLOCK) {
      all.set(await this.#read(at, Math.min(BLOCK, size - at)), at);
    }
    this.#all = all;
  }

  async read(rows: ArrayLike<number>): Promise<NDArray> {
    const { dtype, dims, order } = this.#data;
    const size = this.#bytes;
    const out = new Uint8Array(rows.length * size);
    for (let i = 0; i < rows.length; i++) invariant(rows[i]! < order.length, `no row ${rows[i]}`);
    if (this.#all) {
      for (let i = 0; i < rows.length; i++) {
        const at = order[rows[i]!]! * size;
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
    const { order } = this.#data;
    let reads: Promise<void>[] = [];
    for (let i = 0; i < rows.length; ) {
      const start = order[rows[i]!]!;
      let run = 1;
      while (i + run < rows.length && order[rows[i + run]!] === start + run) run++;
      const at = i * size;
      reads.push(this.#read(start * size, run * size).then((bytes) => out.set(bytes, at)));
      i += run;
      if (reads.length < depth) continue;
      await Promise.all(reads);
      reads = [];
    }
    await Promise.all(reads);
  }

  async #read(from: number, length: number): Promise<Uint8Array> {
    const bytes = await this.#source.read(from, length);
    if (bytes.length === length) return bytes;
    throw new RetortError('STORE_CORRUPT', `${this.#source.name} ends before byte ${from + length}`);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
