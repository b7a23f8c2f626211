import { RetortError } from '../../errors.ts';
import {
  concat,
  DELIMITED,
  type FieldInfo,
  type FieldName,
  fieldsByNumber,
  type MessageInfo,
  utf8,
  VARINT,
  wireOf,
} from './wire.ts';
import { WireCursor } from './wire-cursor.ts';

/** Nested messages, as in protobuf's own readers; a sub-graph takes three levels. */
const MAX_DEPTH = 100;

/** What decoded things take of the file's budget. */
const MESSAGE = 48;
const BYTES = 8;
const NUMBER = 4;

interface Parent {
  readonly reader: WireReader<MessageInfo>;
  readonly field: string;
  readonly index: number | undefined;
}

/**
 * One protobuf message. Construction walks its fields once, checks every tag, length and wire type against the bounds,
 * and remembers where values start; accessors decode on demand. Byte values are views, never copies.
 */
export class WireReader<M extends MessageInfo> {
  readonly #cursor: WireCursor;
  readonly #info: M;
  readonly #parent: Parent | undefined;
  readonly #depth: number;
  readonly #end: number;
  /** Start of every value (of its length, where it has one) by field number. */
  readonly #values = new Map<number, number[]>();
  /** Start and end, with tags, of the fields that are not in the table, by turns. */
  readonly #unknown: number[] = [];
  readonly #start: number;

  private constructor(cursor: WireCursor, info: M, start: number, end: number, parent?: Parent) {
    this.#cursor = cursor;
    this.#info = info;
    this.#parent = parent;
    this.#depth = parent ? parent.reader.#depth + 1 : 0;
    this.#start = start;
    this.#end = end;
    if (this.#depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} messages`);
    this.#scan();
  }

  static open<M extends MessageInfo>(file: Uint8Array, info: M): WireReader<M> {
    return new WireReader(new WireCursor(file), info, 0, file.length);
  }

  /** Where this message is: `ModelProto.graph.node[3]`. */
  get path(): string {
    if (!this.#parent) return this.#info.message;
    const { reader, field, index } = this.#parent;
    return `${reader.path}.${field}${index === undefined ? '' : `[${index}]`}`;
  }

  fail(problem: string, field?: string): never {
    throw new RetortError('ONNX_MALFORMED', `${this.path}${field ? `.${field}` : ''}: ${problem}`, {
      hint: 'The file is damaged or not ONNX; export or upload it again.',
    });
  }

  has(field: FieldName<M>): boolean {
    return this.#values.has(this.#field(field).number);
  }

  /** A name: UTF-8, or the file is refused (two broken names must not become one). '' when absent. */
  string(field: FieldName<M>): string {
    const bytes = this.bytes(field);
    return bytes ? this.#name(bytes, field) : '';
  }

  /** Prose, decoded as well as it goes; undefined when absent. */
  text(field: FieldName<M>): string | undefined {
    const bytes = this.bytes(field);
    return bytes && utf8(bytes, 'lenient');
  }

  strings(field: FieldName<M>): string[] {
    return this.bytesList(field).map((bytes) => this.#name(bytes, field));
  }

  bytes(field: FieldName<M>): Uint8Array | undefined {
    const start = this.#last(field);
    return start === undefined ? undefined : this.#delimited(start);
  }

  bytesList(field: FieldName<M>): Uint8Array[] {
    return this.#starts(field).map((start) => this.#delimited(start));
  }

  /** int64 or int32; the last one where it is given twice. */
  int(field: FieldName<M>): bigint | undefined {
    const start = this.#last(field);
    if (start === undefined) return undefined;
    this.#number(start);
    return this.#cursor.int64;
  }

  /** An integer that must fit a JavaScript number. */
  number(field: FieldName<M>): number | undefined {
    const value = this.int(field);
    if (value === undefined) return undefined;
    if (!Number.isSafeInteger(Number(value))) this.fail(`${value} is out of range`, field);
    return Number(value);
  }

  float(field: FieldName<M>): number | undefined {
    const start = this.#last(field);
    return start === undefined ? undefined : this.#cursor.view.getFloat32(start, true);
  }

  /** Repeated integers, packed or not. */
  ints(field: FieldName<M>): bigint[] {
    this.#ensure(this.#cursor.charge(this.#count(field) * NUMBER));
    const values: bigint[] = [];
    this.#eachVarint(field, () => values.push(this.#cursor.int64));
    return values;
  }

  floats(field: FieldName<M>): number[] {
    const bytes = this.packed(field, 4);
    this.#ensure(this.#cursor.charge((bytes.length / 4) * NUMBER));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
  }

  /**
   * Repeated numbers as little-endian elements of `size` bytes (the low ones of a varint): TensorProto's typed data in
   * the form of raw_data. A view where floats lie in one piece, otherwise new bytes.
   */
  packed(field: FieldName<M>, size: 1 | 2 | 4 | 8): Uint8Array {
    const info = this.#field(field);
    if (wireOf(info) !== VARINT) return this.#fixed(field, info.type === 'double' ? 8 : 4);
    const bytes = new Uint8Array(this.#count(field) * size);
    const view = new DataView(bytes.buffer);
    let at = 0;
    this.#eachVarint(field, () => {
      if (size === 1) bytes[at] = this.#cursor.low;
      else if (size === 2) view.setUint16(at, this.#cursor.low, true);
      else view.setUint32(at, this.#cursor.low, true);
      if (size === 8) view.setUint32(at + 4, this.#cursor.high, true);
      at += size;
    });
    return bytes;
  }

  child<C extends MessageInfo>(field: FieldName<M>, info: C): WireReader<C> | undefined {
    const starts = this.#starts(field);
    if (starts.length > 1) this.fail('given more than once', field);
    return starts[0] === undefined ? undefined : this.#open(field, info, starts[0], undefined);
  }

  /** Decodes every message of a repeated field, one after the other. */
  each<C extends MessageInfo, T>(field: FieldName<M>, info: C, decode: (child: WireReader<C>) => T): T[] {
    return this.#starts(field).map((start, i) => decode(this.#open(field, info, start, i)));
  }

  /** The bytes of this whole message. */
  get whole(): Uint8Array {
    return this.#cursor.bytes.subarray(this.#start, this.#end);
  }

  /** The wire bytes of all fields we do not interpret, in file order; undefined if there are none. */
  get rest(): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < this.#unknown.length; i += 2) {
      pieces.push(this.#cursor.bytes.subarray(this.#unknown[i], this.#unknown[i + 1]));
    }
    return pieces.length ? concat(pieces) : undefined;
  }

  #scan(): void {
    const cursor = this.#cursor;
    cursor.at = this.#start;
    const table = fieldsByNumber(this.#info);
    while (cursor.at < this.#end) {
      const start = cursor.at;
      this.#ensure(cursor.varint(this.#end));
      const tag = cursor.low;
      if (cursor.high !== 0 || tag >>> 3 === 0) this.fail(`no field has the tag at byte ${start}`);
      const known = table.get(tag >>> 3);
      const value = cursor.at;
      this.#ensure(cursor.skip(tag & 7, this.#end), known?.[0] ?? `field ${tag >>> 3}`);
      if (known) this.#record(known[0], known[1], tag & 7, value);
      else if (this.#unknown.at(-1) === start) this.#unknown[this.#unknown.length - 1] = cursor.at;
      else {
        this.#ensure(this.#cursor.charge(BYTES));
        this.#unknown.push(start, cursor.at);
      }
    }
  }

  #record(name: string, info: FieldInfo, wire: number, value: number): void {
    const expected = wireOf(info);
    const packed = wire === DELIMITED && info.repeated && expected !== DELIMITED;
    if (wire !== expected && !packed) this.fail(`wire type ${wire} instead of ${expected}`, name);
    if (expected === DELIMITED) this.#ensure(this.#cursor.charge(info.type === 'message' ? MESSAGE : BYTES));
    const starts = this.#values.get(info.number);
    // A packed run is told from a single value by its sign; a value never starts at byte 0 of the file.
    const start = packed ? -value : value;
    if (starts) starts.push(start);
    else this.#values.set(info.number, [start]);
  }

  /** Reads a number at a position that the scan has checked. */
  #number(start: number): void {
    this.#cursor.at = start;
    this.#ensure(this.#cursor.varint(this.#end));
  }

  #ensure(problem: string | undefined, field?: string): void {
    if (problem) this.fail(problem, field);
  }

  #eachVarint(field: FieldName<M>, visit: () => void): void {
    const cursor = this.#cursor;
    for (const start of this.#starts(field)) {
      this.#number(Math.abs(start));
      if (start > 0) {
        visit();
        continue;
      }
      const end = cursor.at + cursor.low;
      while (cursor.at < end) {
        this.#ensure(cursor.varint(end), field);
        visit();
      }
    }
  }

  #count(field: FieldName<M>): number {
    let count = 0;
    this.#eachVarint(field, () => count++);
    return count;
  }

  #fixed(field: FieldName<M>, size: number): Uint8Array {
    const starts = this.#starts(field);
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < starts.length; ) {
      if (starts[i]! < 0) pieces.push(this.#delimited(-starts[i++]!));
      else {
        // Single values, each behind its own tag: gathered by the run, not a view each.
        const first = i;
        while (i < starts.length && starts[i]! > 0) i++;
        const run = new Uint8Array((i - first) * size);
        for (let k = 0; k < run.length; k++) {
          run[k] = this.#cursor.bytes[starts[first + Math.floor(k / size)]! + (k % size)]!;
        }
        pieces.push(run);
      }
    }
    if (pieces.some((piece) => piece.length % size !== 0)) {
      this.fail(`its length is no multiple of ${size}`, field);
    }
    return concat(pieces);
  }

  #delimited(start: number): Uint8Array {
    this.#number(start);
    const { at, low, bytes } = this.#cursor;
    return bytes.subarray(at, at + low);
  }

  #open<C extends MessageInfo>(field: string, info: C, start: number, index: number | undefined) {
    this.#number(start);
    const { at, low } = this.#cursor;
    const parent = { reader: this as unknown as WireReader<MessageInfo>, field, index };
    return new WireReader(this.#cursor, info, at, at + low, parent);
  }

  #name(bytes: Uint8Array, field: string): string {
    return utf8(bytes) ?? this.fail('not UTF-8', field);
  }

  #field(field: FieldName<M>): FieldInfo {
    return this.#info.fields[field]!;
  }

  #starts(field: FieldName<M>): readonly number[] {
    return this.#values.get(this.#field(field).number) ?? [];
  }

  #last(field: FieldName<M>): number | undefined {
    return this.#starts(field).at(-1);
  }
}
