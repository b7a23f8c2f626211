import Type from 'typebox';
import type { NDArray } from '../../core/ndarray.ts';
import type { RawSample, SplitName } from '../dataset.ts';
import type { DatasetFormat } from '../format.ts';
import { splitOfName } from '../split-names.ts';
import type { Entry, Upload } from '../upload.ts';
import { isNpy, type NpyHeader, npyHeadBytes, parseNpyHeader } from './npy-header.ts';
import { asPicture, decodeRecord, isInteger } from './raw-array.ts';
import { records } from './records.ts';
import { unreadable } from './unreadable.ts';

const options = Type.Object(
  {
    x: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Arrays that become columns; all but the labels if left out',
      }),
    ),
    y: Type.Optional(
      Type.String({ description: 'Array of labels; y, labels, label, targets or target if left out' }),
    ),
  },
  { additionalProperties: false },
);

const labelNames = ['y', 'labels', 'label', 'targets', 'target'];

interface NamedArray extends NpyHeader {
  readonly entry: Entry;
  readonly base: string;
  readonly split: SplitName | undefined;
}

/** NumPy arrays: .npz, or .npy files side by side. `x_train` and `x_test` are column x of two splits. */
export const npy: DatasetFormat<typeof options> = {
  name: 'npy',
  summary: 'NumPy arrays (.npz, or .npy files): x and y by name, x_train/x_test for given splits',
  options,
  labelOption: 'y',
  order: 'file',
  sniff: (heads) => heads.some((head) => isNpy(head.bytes)),

  async *open(upload, { x, y }): AsyncIterable<RawSample> {
    const arrays = await readHeaders(upload);
    const label = y ?? labelNames.find((name) => arrays.some((array) => array.base === name));
    const columns = x ?? [...new Set(arrays.map(({ base }) => base))].filter((base) => base !== label);
    for (const name of [...columns, ...(y === undefined ? [] : [y])]) {
      if (!arrays.some((array) => array.base === name)) {
        const names = [...new Set(arrays.map(({ base }) => base))].join(', ');
        throw unreadable(upload.name, `holds no array ${name}; it holds ${names}`);
      }
    }
    for (const split of ['train', 'validation', 'test', undefined] as const) {
      const here = arrays.filter((array) => array.split === split);
      if (here.length > 0) yield* rows(here, columns, label, split, upload.name);
    }
  },
};

async function readHeaders(upload: Upload): Promise<NamedArray[]> {
  const arrays: NamedArray[] = [];
  for await (const entry of upload.entries()) {
    const head = await entry.head(npyHeadBytes);
    if (!isNpy(head)) continue;
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1).replace(/\.npy$/i, '');
    arrays.push({ ...parseNpyHeader(head, entry.path), entry, ...splitOfName(name) });
  }
  return arrays;
}

async function* rows(
  arrays: readonly NamedArray[],
  columns: readonly string[],
  label: string | undefined,
  split: SplitName | undefined,
  upload: string,
): AsyncGenerator<RawSample> {
  const byName = new Map(arrays.map((array) => [array.base, array]));
  const parts = columns.map((name) => {
    const array = byName.get(name);
    if (!array) throw unreadable(upload, `holds no array ${name} for the ${split ?? 'only'} split`);
    if (array.dims.length === 0) throw unreadable(array.entry.path, 'is a single number, not rows');
    return array;
  });
  const count = parts[0]?.dims[0] ?? 0;
  const labels = label === undefined ? undefined : byName.get(label);
  for (const array of labels ? [...parts, labels] : parts) {
    if (array.dims[0] !== count) {
      throw unreadable(
        array.entry.path,
        `holds ${array.dims[0]} rows but ${parts[0]!.entry.path} holds ${count}`,
      );
    }
  }
  const names = labels && (await readLabels(labels));
  const streams = parts.map(readRows);
  for (let row = 0; row < count; row++) {
    const values: Record<string, NDArray> = {};
    for (const [i, stream] of streams.entries()) {
      values[columns[i]!] = (await stream.next()).value as NDArray;
    }
    const name = names?.[row];
    const source = `${parts[0]!.entry.path}#${row}`;
    yield { source, ...(split && { split }), ...(name !== undefined && { label: name }), values };
  }
  // One step further, so that bytes after the last record are found.
  for (const stream of streams) await stream.next();
}

async function* readRows({ entry, element, littleEndian, dims, headerBytes, itemBytes }: NamedArray) {
  if (element === 'unicode' || element === 'bytes') throw unreadable(entry.path, 'holds text, not numbers');
  const [count, ...rest] = dims as [number, ...number[]];
  const bytes = rest.reduce((product, dim) => product * dim, itemBytes);
  const isNumber = element !== 'u1' || rest.length < 2;
  for await (const record of records(entry.stream(), entry.path, headerBytes, bytes, count)) {
    const array = decodeRecord(record, element, littleEndian, rest);
    yield isNumber ? array : asPicture(array);
  }
}

/** Labels as class names; undefined where a negative number or an empty text says there is none. */
async function readLabels(array: NamedArray): Promise<(string | undefined)[]> {
  const { entry, element, dims, itemBytes, headerBytes, littleEndian } = array;
  const isFlat = dims.length === 1 || (dims.length === 2 && dims[1] === 1);
  const isText = element === 'unicode' || element === 'bytes';
  if (!isFlat || (!isText && !isInteger(element))) {
    throw unreadable(
      entry.path,
      `holds labels of shape [${dims.join(', ')}] and type ${element}`,
      'Labels are one integer or one text per row.',
    );
  }
  const names: (string | undefined)[] = [];
  for await (const record of records(entry.stream(), entry.path, headerBytes, itemBytes, dims[0]!)) {
    if (isText) {
      const text = element === 'unicode' ? utf32(record, littleEndian) : new TextDecoder().decode(record);
      names.push(text.replace(/\0+$/, '') || undefined);
    } else {
      const value = decodeRecord(record, element, littleEndian, []).data[0]!;
      names.push(Number(value) < 0 ? undefined : String(value));
    }
  }
  return names;
}

function utf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) {
    const code = view.getUint32(at, littleEndian);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}
