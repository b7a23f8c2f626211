import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { protoFile } from '../../scripts/gen-onnx-fields.ts';

export type Plain = { [key: string]: unknown };

// A protobuf implementation that is not ours.
const { root } = protobuf.parse(readFileSync(protoFile, 'utf8'), { keepCase: true });
const model = root.lookupType('onnx.ModelProto');

/** A file as protobufjs reads it with proto/onnx.proto; 64-bit numbers as text, absent fields absent. */
export const witnessRead = (bytes: Uint8Array): Plain =>
  model.toObject(model.decode(bytes), { longs: String });

/** A file that protobufjs writes from plain data (names as in onnx.proto). */
export const witnessWrite = (object: Plain): Uint8Array =>
  new Uint8Array(model.encode(model.fromObject(object)).finish());

/** The same with what our encoder may write differently made equal: typed data as raw, empty names left out. */
export function canonical(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const list = value.map((item) => canonical(item, key)) as Plain[];
    return key === 'external_data' ? list.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1)) : list;
  }
  if (value instanceof Uint8Array) return named(value);
  if (typeof value !== 'object' || value === null) return value;
  const plain = value as Plain;
  const stored = 'data_type' in plain && key !== 'values' && key !== 'indices';
  const entries = Object.entries(stored ? rawTensor(plain) : plain)
    .filter(([name, item]) => !(item === '' && optionalText.has(name)))
    .map(([name, item]): [string, unknown] => [name, canonical(item, name)]);
  const object = Object.fromEntries(entries);
  if (key === 'opset_import' || key === 'node') if (object.domain === 'ai.onnx') delete object.domain;
  if (key === 'dim' && String(object.dim_value).startsWith('-')) delete object.dim_value;
  return object;
}

/** Bytes as a short name: equal for equal bytes, whatever array holds them, and readable where a test fails. */
const named = (bytes: Uint8Array): string =>
  `${bytes.length} bytes ${createHash('sha1').update(bytes).digest('hex')}`;

const optionalText = new Set(['name', 'domain', 'dim_param', 'denotation']);

function rawTensor(tensor: Plain): Plain {
  const { float_data, int32_data, int64_data, double_data, uint64_data, ...rest } = tensor;
  if (rest.data_location === 1 || rest.data_type === 8) return rest;
  const raw = (rest.raw_data as Uint8Array | undefined) ?? new Uint8Array();
  const list = (values: unknown) => (values as (number | string)[] | undefined) ?? [];
  const typed = [
    Float32Array.from(list(float_data), Number),
    smallInts(rest.data_type as number, list(int32_data).map(Number)),
    BigInt64Array.from(list(int64_data), BigInt),
    Float64Array.from(list(double_data), Number),
    rest.data_type === 12
      ? Uint32Array.from(list(uint64_data), Number)
      : BigUint64Array.from(list(uint64_data), BigInt),
  ].find((array) => array.length > 0);
  const bytes = raw.length || !typed ? raw : new Uint8Array(typed.buffer);
  return { ...rest, raw_data: bytes };
}

function smallInts(type: number, values: number[]): Uint8Array | Uint16Array | Int32Array {
  if ([2, 3, 9].includes(type)) return Uint8Array.from(values);
  return [4, 5, 10, 16].includes(type) ? Uint16Array.from(values) : Int32Array.from(values);
}
