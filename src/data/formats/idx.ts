import Type from 'typebox';
import type { RawSample } from '../dataset.ts';
import type { DatasetFormat } from '../format.ts';
import { bySplit, splitOfName } from '../split-names.ts';
import type { Entry, Upload } from '../upload.ts';
import { asPicture, decodeRecord, type Element, elementBytes, isInteger } from './raw-array.ts';
import { records } from './records.ts';
import { unreadable } from './unreadable.ts';

const options = Type.Object(
  { column: Type.String({ description: 'Name of the data column', default: 'image' }) },
  { additionalProperties: false },
);

/** Type byte of the magic number 00 00 type rank (yann.lecun.com/exdb/mnist); numbers are big-endian. */
const elements: Readonly<Record<number, Element>> = {
  8: 'u1',
  9: 'i1',
  11: 'i2',
  12: 'i4',
  13: 'f4',
  14: 'f8',
};

interface IdxFile {
  readonly entry: Entry;
  readonly element: Element;
  readonly dims: readonly number[];
  readonly headerBytes: number;
}

/** IDX files as of MNIST: pairs of images and labels, told apart by their magic numbers and paired by name. A negative label means none. */
export const idx: DatasetFormat<typeof options> = {
  name: 'idx',
  summary: 'IDX files (MNIST): images and labels, plain or gzipped, several uploads or inside one archive',
  options,
  order: 'file',
  sniff: (heads) => heads.some((head) => parseHeader(head.bytes) !== undefined),

  async *open(upload, { column }): AsyncIterable<RawSample> {
    const files: IdxFile[] = [];
    for await (const entry of upload.entries()) {
      const header = parseHeader(await entry.head(4 + 4 * 255));
      if (header) files.push({ entry, ...header });
    }
    for (const { data, labels } of pair(files, upload)) {
      const { split } = splitOfName(data.entry.path);
      const names = labels && (await readLabels(labels));
      const [count, ...dims] = data.dims as [number, ...number[]];
      const bytes = dims.reduce((product, dim) => product * dim, elementBytes(data.element));
      let row = 0;
      for await (const record of records(
        data.entry.stream(),
        data.entry.path,
        data.headerBytes,
        bytes,
        count,
      )) {
        const source = `${data.entry.path}#${row}`;
        const label = names?.[row++];
        yield {
          source,
          ...(split && { split }),
          ...(label !== undefined && !label.startsWith('-') && { label }),
          values: { [column]: asPicture(decodeRecord(record, data.element, false, dims)) },
        };
      }
    }
  },
};

function parseHeader(head: Uint8Array): Omit<IdxFile, 'entry'> | undefined {
  const element = elements[head[2] ?? 0];
  const rank = head[3] ?? 0;
  if (head.length < 8 || head[0] !== 0 || head[1] !== 0 || !element || rank < 1 || rank > 8) return undefined;
  if (head.length < 4 + 4 * rank) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  if (dims.some((dim) => dim === 0)) return undefined;
  return { element, dims, headerBytes: 4 + 4 * rank };
}

/** Data files with their label files, training rows first. */
function pair(files: readonly IdxFile[], upload: Upload): { data: IdxFile; labels: IdxFile | undefined }[] {
  const labels = files.filter((file) => file.dims.length === 1 && isInteger(file.element));
  const datas = files.filter((file) => !labels.includes(file));
  if (datas.length === 0) throw unreadable(upload.name, 'holds IDX labels but no IDX images');
  const free = new Set(labels);
  const pairs = datas.map((data) => {
    const fits = [...free].filter((file) => stem(file.entry.path) === stem(data.entry.path));
    const sameCount = [...free].filter((file) => file.dims[0] === data.dims[0]);
    const only = datas.length === 1 && labels.length === 1 ? labels[0] : undefined;
    const found = fits.length === 1 ? fits[0] : (only ?? (sameCount.length === 1 ? sameCount[0] : undefined));
    if (found) free.delete(found);
    if (found && found.dims[0] !== data.dims[0]) {
      throw unreadable(
        data.entry.path,
        `holds ${data.dims[0]} records but ${found.entry.path} holds ${found.dims[0]} labels`,
      );
    }
    return { data, labels: found };
  });
  for (const file of free) {
    throw unreadable(file.entry.path, 'holds labels that belong to no images', 'Name the two files alike.');
  }
  return pairs.sort((a, b) => bySplit(a.data.entry.path, b.data.entry.path));
}

/** The name without the words that tell images from labels: train-images-idx3-ubyte and train-labels-idx1-ubyte meet. */
const stem = (path: string): string =>
  path
    .toLowerCase()
    .split(/[-_./ ]+/)
    .filter((word) => !/^(images?|labels?|data|idx\d?|ubyte|x|y)$/.test(word))
    .join('-');

async function readLabels(file: IdxFile): Promise<string[]> {
  const count = file.dims[0]!;
  const size = elementBytes(file.element);
  const names: string[] = [];
  for await (const record of records(file.entry.stream(), file.entry.path, file.headerBytes, size, count)) {
    names.push(String(decodeRecord(record, file.element, false, []).data[0]));
  }
  return names;
}
