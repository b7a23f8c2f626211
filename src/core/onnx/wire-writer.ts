import { RetortError } from '../../errors.ts';
import { concat, DELIMITED, type FieldName, type MessageInfo, wireOf } from './wire.ts';

/** protobuf readers, onnxruntime's among them, stop here. */
const MAX_MESSAGE = 2 ** 31 - 1;
/** Byte values above this are kept by reference until the file is joined, so tensors are copied once. */
const BY_REFERENCE = 4096;

const encoder = new TextEncoder();

/** Writes one protobuf message, field by field in the order of the calls. Absent (undefined) values write nothing. */
export class WireWriter<M extends MessageInfo> {
  readonly #info: M;
  readonly #pieces: Uint8Array[] = [];
  #buffer = new Uint8Array(64);
  #used = 0;
  #before = 0;

  constructor(info: M) {
    this.#info = info;
  }

  get length(): number {
    return this.#before + this.#used;
  }

  /** Fields in wire form, as a reader gave them. */
  raw(bytes: Uint8Array | undefined): this {
    if (bytes) this.#append(bytes);
    return this;
  }

  string(field: FieldName<M>, value: string | undefined): this {
    return value === undefined ? this : this.bytes(field, encoder.encode(value));
  }

  strings(field: FieldName<M>, values: readonly string[]): this {
    for (const value of values) this.string(field, value);
    return this;
  }

  bytes(field: FieldName<M>, value: Uint8Array | undefined): this {
    if (!value) return this;
    this.#tag(field, DELIMITED);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  int(field: FieldName<M>, value: bigint | number | undefined): this {
    if (value === undefined) return this;
    this.#tag(field);
    if (typeof value === 'number' && value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  float(field: FieldName<M>, value: number): this {
    this.#tag(field);
    this.#reserve(4);
    new DataView(this.#buffer.buffer).setFloat32(this.#used, value, true);
    this.#used += 4;
    return this;
  }

  message<C extends MessageInfo>(field: FieldName<M>, child: WireWriter<C> | undefined): this {
    if (!child) return this;
    this.#tag(field, DELIMITED);
    this.#varint(child.length);
    for (const piece of child.#all()) this.#append(piece);
    return this;
  }

  finish(): Uint8Array {
    if (this.length > MAX_MESSAGE) {
      throw new RetortError(
        'ONNX_UNSUPPORTED',
        `the model takes ${this.length} bytes; ONNX files end at 2 GiB`,
        {
          hint: 'Keep large tensors in external data.',
        },
      );
    }
    return this.#pieces.length ? concat(this.#all()) : this.#buffer.slice(0, this.#used);
  }

  #all(): Uint8Array[] {
    return [...this.#pieces, this.#buffer.subarray(0, this.#used)];
  }

  #tag(field: FieldName<M>, wire?: number): void {
    const info = this.#info.fields[field]!;
    this.#varint(info.number * 8 + (wire ?? wireOf(info)));
  }

  #varint(value: number): void {
    this.#reserve(10);
    let left = value;
    while (left > 127) {
      this.#buffer[this.#used++] = (left % 128) | 128;
      left = Math.floor(left / 128);
    }
    this.#buffer[this.#used++] = left;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let left = value;
    while (left > 127n) {
      this.#buffer[this.#used++] = Number(left & 127n) | 128;
      left >>= 7n;
    }
    this.#buffer[this.#used++] = Number(left);
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length > BY_REFERENCE) {
      this.#pieces.push(this.#buffer.subarray(0, this.#used), bytes);
      this.#before += this.#used + bytes.length;
      this.#buffer = new Uint8Array(64);
      this.#used = 0;
      return;
    }
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #reserve(count: number): void {
    if (this.#used + count <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#used + count, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }
}
