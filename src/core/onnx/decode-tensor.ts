import { RetortError } from '../../errors.ts';
import { type DType, dtypeOfCode, dtypes } from './dtype.ts';
import { StringStringEntryProto, TensorProto } from './fields.gen.ts';
import type { ExternalData, Tensor } from './tensor.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** TensorProto.DataLocation.EXTERNAL */
const EXTERNAL = 1;

type TensorReader = WireReader<typeof TensorProto>;

/**
 * A TensorProto. Typed data fields become the little-endian bytes of raw_data; raw data stay a view of the file.
 * That the bytes fit the dimensions is the checker's business. `named`: the owner keeps the tensor's name.
 */
export function decodeTensor(reader: TensorReader, named: boolean): Tensor {
  const code = reader.number('data_type') ?? 0;
  const dtype = dtypeOfCode(code);
  if (!dtype) {
    throw new RetortError('ONNX_UNSUPPORTED', `${reader.path}: there is no element type ${code}`);
  }
  const dims = reader.ints('dims').map((dim) => {
    if (dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER)) reader.fail(`dimension ${dim}`, 'dims');
    return Number(dim);
  });
  const { external, entries } = decodeExternal(reader);
  const rest = keep(reader, named, entries);
  const doc = reader.text('doc_string');
  return {
    dtype,
    dims,
    bytes: external || dtype === 'string' ? new Uint8Array() : elementBytes(reader, dtype),
    ...(dtype === 'string' && !external ? { strings: reader.bytesList('string_data') } : {}),
    ...(external ? { external } : {}),
    ...(doc === undefined ? {} : { doc }),
    ...(rest ? { rest } : {}),
  };
}

function elementBytes(reader: TensorReader, dtype: DType): Uint8Array {
  const raw = reader.bytes('raw_data');
  if (raw?.length) return raw;
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return reader.packed('float_data', 4);
    case 'float64':
    case 'complex128':
      return reader.packed('double_data', 8);
    case 'int64':
      return reader.packed('int64_data', 8);
    case 'uint32':
      return reader.packed('uint64_data', 4);
    case 'uint64':
      return reader.packed('uint64_data', 8);
    case 'int32':
      return reader.packed('int32_data', 4);
    default:
      // Half floats as bit patterns; what is smaller than a byte is already packed into bytes.
      return reader.packed('int32_data', dtypes[dtype].bits === 16 ? 2 : 1);
  }
}

type Entry = readonly [key: string, value: string];

/** Where the data lie, and the entries that say something else (a checksum). */
function decodeExternal(reader: TensorReader): { external?: ExternalData; entries: readonly Entry[] } {
  const entries = reader.each(
    'external_data',
    StringStringEntryProto,
    (entry): Entry => [entry.string('key'), entry.string('value')],
  );
  if (reader.number('data_location') !== EXTERNAL) return { entries };
  const find = (key: string) => entries.find((entry) => entry[0] === key)?.[1];
  const count = (key: string): number | undefined => {
    const text = find(key);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text))
      reader.fail(`${key} "${text.slice(0, 40)}" is not a byte count`, 'external_data');
    return Number(text);
  };
  const location = find('location');
  if (location === undefined) reader.fail('no location', 'external_data');
  const length = count('length');
  return {
    external: { location, offset: count('offset') ?? 0, ...(length === undefined ? {} : { length }) },
    entries: entries.filter(([key]) => key !== 'location' && key !== 'offset' && key !== 'length'),
  };
}

function keep(reader: TensorReader, named: boolean, entries: readonly Entry[]): Uint8Array | undefined {
  const writer = new WireWriter(TensorProto).raw(reader.rest);
  if (!named && reader.has('name')) writer.string('name', reader.string('name'));
  for (const [key, value] of entries) {
    const entry = new WireWriter(StringStringEntryProto).string('key', key).string('value', value);
    writer.message('external_data', entry);
  }
  return writer.length ? writer.finish() : undefined;
}
