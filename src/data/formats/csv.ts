import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';
import Type, { type Static } from 'typebox';
import type { RawSample } from '../dataset.ts';
import type { DatasetFormat, Reject } from '../format.ts';
import { bySplit, splitOfName } from '../split-names.ts';
import type { Entry } from '../upload.ts';
import { unreadable } from './unreadable.ts';

const Column = Type.Union([Type.String(), Type.Integer({ minimum: 0 })]);
const options = Type.Object(
  {
    label: Type.Optional(
      Type.Union([Column, Type.Literal(false)], {
        description:
          'Label column by name or number; false: none. If left out: label, class, target, y or species',
      }),
    ),
    features: Type.Optional(
      Type.Array(Column, {
        description: 'Feature columns by name or number. If left out: all but the label',
      }),
    ),
    header: Type.Union([Type.Boolean(), Type.Literal('auto')], {
      description: 'Whether the first row names the columns. auto: when no cell of it is a number',
      default: 'auto',
    }),
    delimiter: Type.Optional(
      Type.String({ description: 'If left out: found among , ; tab |', minLength: 1 }),
    ),
    missing: Type.Array(Type.String(), {
      description: 'Cells that mean nothing was recorded',
      default: ['', '?', 'NA'],
    }),
    fill: Type.Optional(
      Type.Number({ description: 'Number put where one is missing. If left out: such rows are rejected' }),
    ),
    column: Type.String({ description: 'Name of the column of features', default: 'features' }),
  },
  { additionalProperties: false },
);
type Options = Static<typeof options>;

const headBytes = 64 * 1024;
const delimiters = [',', ';', '\t', '|'];

/** Tables of numbers with a label column; the features of a row become one float32 vector. */
export const csv: DatasetFormat<typeof options> = {
  name: 'csv',
  summary: 'CSV and TSV tables: numeric features, a declared label column, header found or declared',
  options,
  labelOption: 'label',
  order: 'file',
  sniff: (heads) => heads.some((head) => delimiterOf(head.bytes) !== undefined),

  async *open(upload, given, reject): AsyncIterable<RawSample> {
    const entries: { entry: Entry; delimiter: string }[] = [];
    for await (const entry of upload.entries()) {
      const delimiter = given.delimiter ?? delimiterOf(await entry.head(headBytes));
      if (delimiter !== undefined) entries.push({ entry, delimiter });
    }
    if (entries.length === 0) throw unreadable(upload.name, 'holds no table with columns');
    entries.sort((a, b) => bySplit(a.entry.path, b.entry.path));
    for (const { entry, delimiter } of entries) {
      // One file alone is the whole set, whatever it is called.
      const split = entries.length > 1 ? splitOfName(entry.path).split : undefined;
      for await (const sample of readTable(entry, delimiter, given, reject)) {
        yield split ? { ...sample, split } : sample;
      }
    }
  },
};

async function* readTable(
  entry: Entry,
  delimiter: string,
  options: Options,
  reject: (reject: Reject) => void,
): AsyncGenerator<RawSample> {
  const { column, header } = options;
  const missing = new Set(options.missing);
  let table: Table | undefined;
  let row = 0;
  for await (const cells of tableRows(entry, delimiter)) {
    row++;
    if (!table) {
      const isHeader = header === 'auto' ? cells.every((cell) => !isNumber(cell)) : header;
      table = layTable(entry, isHeader ? cells : cells.map((_, i) => String(i)), options, isHeader);
      if (isHeader) continue;
    }
    const source = `${entry.path}#${row}`;
    const features = readFeatures(cells, table, missing, options.fill);
    if (typeof features === 'string') {
      reject({ source, reason: features });
      continue;
    }
    const label = table.label === undefined ? undefined : cells[table.label]!;
    yield {
      source,
      ...(label !== undefined && !missing.has(label) && { label }),
      values: { [column]: { dtype: 'float32', dims: [features.length], data: features } },
    };
  }
}

interface Table {
  readonly names: readonly string[];
  readonly label: number | undefined;
  readonly features: readonly number[];
}

function layTable(entry: Entry, names: readonly string[], options: Options, isHeader: boolean): Table {
  const find = (column: string | number): number => {
    const at = typeof column === 'number' ? column : names.indexOf(column);
    if (at >= 0 && at < names.length) return at;
    const known = isHeader
      ? `its columns are ${names.join(', ')}`
      : `it has ${names.length} columns and no header`;
    throw unreadable(entry.path, `has no column ${column}; ${known}`);
  };
  const label = options.label === false ? undefined : find(options.label ?? usualLabel(entry, names));
  const features = options.features?.map(find) ?? names.map((_, i) => i).filter((i) => i !== label);
  if (label !== undefined && features.includes(label)) {
    throw unreadable(entry.path, `column ${names[label]} is both label and feature`);
  }
  if (features.length === 0) throw unreadable(entry.path, 'has no feature columns');
  return { names, label, features };
}

function usualLabel(entry: Entry, names: readonly string[]): string {
  const found = names.find((name) => /^(label|class|target|y|species)$/i.test(name));
  if (found !== undefined) return found;
  const known = `columns: ${names.slice(0, 40).join(', ')}`;
  throw unreadable(
    entry.path,
    `has no column named label (${known})`,
    'Declare data.options.label (`retort inspect --label`), by name or number; false where there is none.',
  );
}

/** The numbers of a row, or why there are none. */
function readFeatures(
  cells: readonly string[],
  { names, features }: Table,
  missing: ReadonlySet<string>,
  fill: number | undefined,
): Float32Array | string {
  if (cells.length !== names.length)
    return `has ${cells.length} cells where the table has ${names.length} columns`;
  const values = new Float32Array(features.length);
  for (const [i, at] of features.entries()) {
    const cell = cells[at]!;
    if (missing.has(cell)) {
      if (fill === undefined) return `column ${names[at]} is missing`;
      values[i] = fill;
    } else {
      if (!isNumber(cell)) return `column ${names[at]} holds text, not a number`;
      values[i] = Number(cell);
    }
  }
  return values;
}

const isNumber = (cell: string): boolean => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(cell);

/** Rows of trimmed cells; blank lines are skipped. */
async function* tableRows(entry: Entry, delimiter: string): AsyncGenerator<readonly string[]> {
  const parser = parse({
    delimiter,
    bom: true,
    trim: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: 2 ** 20,
  });
  pipeline(Readable.from(entry.stream()), parser, () => {});
  try {
    yield* parser as AsyncIterable<string[]>;
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_')) {
      const hint = 'Send tables only; data.options.delimiter says what parts their cells.';
      throw unreadable(entry.path, `is no table: ${error.message}`, hint);
    }
    throw error;
  }
}

/** The line under the head of a table in Markdown: a document, not data. */
const markdownRule = /^\s*\|?\s*:?-{3,}:?\s*\|[\s:|-]*$/;

/** The delimiter that cuts nearly all of the first lines into equally many cells (prose does not), or undefined when this is no table. */
function delimiterOf(head: Uint8Array): string | undefined {
  if (head.length === 0 || head.includes(0)) return undefined;
  const lines = new TextDecoder()
    .decode(head)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  // The last line may be cut.
  const whole = (lines.length > 2 ? lines.slice(0, -1) : lines).slice(0, 50);
  if (whole.length < 2 || whole.some((line) => markdownRule.test(line))) return undefined;
  let best: { delimiter: string; cells: number } | undefined;
  for (const delimiter of delimiters) {
    const counts = whole.map((line) => line.replaceAll(/"[^"]*"/g, '').split(delimiter).length);
    const cells = mode(counts);
    const agree = counts.filter((count) => count === cells).length;
    if (cells > 1 && agree >= 0.75 * whole.length && cells > (best?.cells ?? 1)) best = { delimiter, cells };
  }
  return best?.delimiter;
}

function mode(counts: readonly number[]): number {
  const seen = new Map<number, number>();
  for (const count of counts) seen.set(count, (seen.get(count) ?? 0) + 1);
  return [...seen].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}
