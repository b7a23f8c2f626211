import { RetortError } from '../../errors.ts';
import {
  DELIMITED,
  FIXED32,
  FIXED64,
  type FieldInfo,
  type FieldName,
  type MessageInfo,
  VARINT,
  wireOf,
} from './wire.ts';

/** Nested messages, as in protobuf's own readers; a sub-graph takes three levels. */
const MAX_DEPTH = 100;
/**
 * Units of decoded structure per file (1 a number, 4 a string, 12 a message): a few megabytes of empty messages
 * must not become gigabytes of objects. The largest real graphs stay below a tenth of it.
 */
const MAX_UNITS = 32_000_000;

interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  units: number;
}

interface Parent {
  readonly reader: WireReader<MessageInfo>;
  readonly field: string;
  readonly index: number | undefined;
}

const fieldsByNumber = new WeakMap<MessageInfo, ReadonlyMap<number, [string, FieldInfo]>>();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * One protobuf message. Construction walks its fields once, checks every tag, length and wire type against the bounds,
 * and remembers where values start; accessors decode on demand. Byte values are views, never copies.
 */
export class WireReader<M extends MessageInfo> {
  readonly #source: Source;
  readonly #info: M;
  readonly #parent: Parent | undefined;
  readonly #depth: number;
  readonly #end: number;
  /** Start of every value (of its length, where it has one) by field number. */
  readonly #values = new Map<number, number[]>();
  /** Start and end, with tags, of the fields that are not in the table, by turns. */
  readonly #unknown: number[] = [];
  readonly #start: number;
  #at: number;
  /** The last varint, as two unsigned halves: bigints are slow by the million. */
  #low = 0;
  #high = 0;

  private constructor(source: Source, info: M, start: number, end: number, parent?: Parent) {
    this.#source = source;
    this.#info = info;
    this.#parent = parent;
    this.#depth = parent ? parent.reader.#depth + 1 : 0;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    if (this.#depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} messages`);
    this.#scan();
  }

  static open<M extends MessageInfo>(file: Uint8Array, info: M): WireReader<M> {
    // A plain view also where the caller has a Node Buffer, whose `slice` means something else.
    const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new WireReader({ bytes, view, units: MAX_UNITS }, info, 0, bytes.length);
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
    return bytes && lenient.decode(bytes);
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
    this.#at = start;
    this.#varint();
    return this.#int64();
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
    return start === undefined ? undefined : this.#source.view.getFloat32(start, true);
  }

  /** Repeated integers, packed or not. */
  ints(field: FieldName<M>): bigint[] {
    const values: bigint[] = [];
    this.#eachVarint(field, () => {
      this.#charge(1);
      values.push(this.#int64());
    });
    return values;
  }

  floats(field: FieldName<M>): number[] {
    const bytes = this.packed(field, 4);
    this.#charge(bytes.length / 4);
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
    let count = 0;
    this.#eachVarint(field, () => count++);
    const bytes = new Uint8Array(count * size);
    const view = new DataView(bytes.buffer);
    let at = 0;
    this.#eachVarint(field, () => {
      if (size === 1) bytes[at] = this.#low;
      else if (size === 2) view.setUint16(at, this.#low, true);
      else view.setUint32(at, this.#low, true);
      if (size === 8) view.setUint32(at + 4, this.#high, true);
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
    return this.#source.bytes.subarray(this.#start, this.#end);
  }

  /** The wire bytes of all fields we do not interpret, in file order; undefined if there are none. */
  get rest(): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < this.#unknown.length; i += 2) {
      pieces.push(this.#source.bytes.subarray(this.#unknown[i], this.#unknown[i + 1]));
    }
    return pieces.length ? concat(pieces) : undefined;
  }

  #scan(): void {
    this.#charge(12);
    let table = fieldsByNumber.get(this.#info);
    if (!table) {
      table = new Map(Object.entries(this.#info.fields).map(([name, info]) => [info.number, [name, info]]));
      fieldsByNumber.set(this.#info, table);
    }
    while (this.#at < this.#end) {
      const start = this.#at;
      this.#varint();
      const tag = this.#low;
      if (this.#high !== 0 || tag >>> 3 === 0) this.fail(`no field has the tag at byte ${start}`);
      const wire = tag & 7;
      const known = table.get(tag >>> 3);
      const value = this.#at;
      this.#skip(wire, known?.[0] ?? `field ${tag >>> 3}`);
      if (known) this.#record(known[0], known[1], wire, value);
      else if (this.#unknown.at(-1) === start) this.#unknown[this.#unknown.length - 1] = this.#at;
      else this.#unknown.push(start, this.#at);
    }
  }

  #record(name: string, info: FieldInfo, wire: number, value: number): void {
    const expected = wireOf(info);
    const packed = wire === DELIMITED && info.repeated && expected !== DELIMITED;
    if (wire !== expected && !packed) this.fail(`wire type ${wire} instead of ${expected}`, name);
    this.#charge(expected === DELIMITED ? 4 : 1);
    const starts = this.#values.get(info.number);
    // A packed run is told from a single value by its sign; a value never starts at byte 0 of the file.
    const start = packed ? -value : value;
    if (starts) starts.push(start);
    else this.#values.set(info.number, [start]);
  }

  #skip(wire: number, field: string): void {
    if (wire === VARINT) this.#varint(field);
    else if (wire === FIXED64) this.#at += 8;
    else if (wire === FIXED32) this.#at += 4;
    else if (wire === DELIMITED) {
      this.#varint(field);
      if (this.#high !== 0) this.fail('its length is beyond 4 GiB', field);
      this.#at += this.#low;
    } else this.fail(`wire type ${wire} is not used by ONNX`, field);
    if (this.#at > this.#end) this.fail('runs past the end of the message', field);
  }

  #varint(field?: string, end = this.#end): void {
    const { bytes } = this.#source;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= end) this.fail('the message ends inside a number', field);
      const byte = bytes[this.#at++]!;
      if (shift === 63 && byte > 1) this.fail('a number has more than 64 bits', field);
      if (shift < 28) low |= (byte & 127) << shift;
      else if (shift === 28) {
        low |= (byte & 15) << 28;
        high = (byte & 127) >> 4;
      } else high |= (byte & 127) << (shift - 32);
      if (byte < 128) break;
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }

  #int64(): bigint {
    if (this.#high === 0) return BigInt(this.#low);
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
  }

  #eachVarint(field: FieldName<M>, visit: () => void): void {
    for (const start of this.#starts(field)) {
      this.#at = Math.abs(start);
      if (start > 0) {
        this.#varint(field);
        visit();
        continue;
      }
      this.#varint(field);
      const end = this.#at + this.#low;
      while (this.#at < end) {
        this.#varint(field, end);
        visit();
      }
    }
  }

  #fixed(field: FieldName<M>, size: number): Uint8Array {
    const pieces = this.#starts(field).map((start) =>
      start > 0 ? this.#source.bytes.subarray(start, start + size) : this.#delimited(-start),
    );
    if (pieces.some((piece) => piece.length % size !== 0)) {
      this.fail(`its length is no multiple of ${size}`, field);
    }
    return concat(pieces);
  }

  #delimited(start: number): Uint8Array {
    this.#at = start;
    this.#varint();
    return this.#source.bytes.subarray(this.#at, this.#at + this.#low);
  }

  #open<C extends MessageInfo>(field: string, info: C, start: number, index: number | undefined) {
    this.#at = start;
    this.#varint();
    const parent = { reader: this as unknown as WireReader<MessageInfo>, field, index };
    return new WireReader(this.#source, info, this.#at, this.#at + this.#low, parent);
  }

  #name(bytes: Uint8Array, field: string): string {
    try {
      return strict.decode(bytes);
    } catch {
      return this.fail('not UTF-8', field);
    }
  }

  #charge(units: number): void {
    this.#source.units -= units;
    if (this.#source.units < 0) this.fail('the file holds more parts than any real model');
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

/** One piece as it is, several joined into new bytes. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
