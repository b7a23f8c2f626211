import { contentHash } from './content-hash.ts';
import type { RawSample } from './dataset.ts';
import { noSplit, type RowTable, splitCodes } from './store.ts';

/** Facts about rows as they arrive; `finish` puts them into row order. */
export class RowLog {
  readonly #sources: string[] = [];
  readonly #labels: (string | undefined)[] = [];
  readonly #splits: number[] = [];
  readonly #hashes: number[] = [];

  get length(): number {
    return this.#sources.length;
  }

  add(sample: RawSample, hash: readonly [number, number]): void {
    this.#sources.push(sample.source);
    this.#labels.push(sample.label);
    this.#splits.push(sample.split === undefined ? noSplit : splitCodes[sample.split]);
    this.#hashes.push(...hash);
  }

  finish(by: 'source' | 'file'): { table: RowTable; classes: string[]; sourcesHash: string } {
    const rows = this.length;
    const order = Uint32Array.from({ length: rows }, (_, i) => i);
    if (by === 'source') order.sort((a, b) => compare(this.#sources[a]!, this.#sources[b]!) || a - b);
    const classes = sortClasses(new Set(this.#labels.filter((label) => label !== undefined)));
    const indexOf = new Map(classes.map((name, i) => [name, i]));
    const labels = new Int32Array(rows);
    const hashes = new Uint32Array(2 * rows);
    const splits = new Uint8Array(rows);
    let sources: [number, number] = [0, 1];
    const text = new TextEncoder();
    for (const [row, record] of order.entries()) {
      const label = this.#labels[record];
      labels[row] = label === undefined ? -1 : indexOf.get(label)!;
      splits[row] = this.#splits[record]!;
      hashes[2 * row] = this.#hashes[2 * record]!;
      hashes[2 * row + 1] = this.#hashes[2 * record + 1]!;
      sources = contentHash(text.encode(this.#sources[record]!), sources);
    }
    const sourcesHash = sources.map((word) => word.toString(16).padStart(8, '0')).join('');
    return { table: { order, labels, hashes, splits }, classes, sourcesHash };
  }
}

/** Class names in label order: as numbers when all are integers (2 before 10), by code units otherwise. */
function sortClasses(names: ReadonlySet<string>): string[] {
  const list = [...names];
  const areIntegers = list.every((name) => /^-?\d{1,15}$/.test(name));
  return list.sort(areIntegers ? (a, b) => Number(a) - Number(b) : compare);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
