import type { NDArray } from '../core/ndarray.ts';
import { sizeOf } from '../core/onnx/tensor.ts';
import { invariant } from '../errors.ts';
import type { StoredDataset } from './open-dataset.ts';

export interface TrainingPictures {
  /** Name of the picture column they stand in. */
  readonly column: string;
  readonly rows: number;
  /** Records of the column, one after another; fewer than `rows` are repeated. */
  readonly bytes: Uint8Array;
}

/** A dataset with other training rows, behind its own and without labels; those it had are shown to nobody. */
export function withTraining(
  dataset: StoredDataset,
  { column, rows, bytes }: TrainingPictures,
): StoredDataset {
  const first = dataset.rows;
  const size = sizeOf(dataset.columns.find(({ name }) => name === column)!.dims);
  const have = bytes.length / size;
  const train = Uint32Array.from({ length: rows }, (_, i) => first + i);
  const longer = <T extends Int32Array | Uint8Array>(own: T, fill: number): T => {
    const all = new (own.constructor as new (length: number) => T)(first + rows).fill(fill) as T;
    all.set(own);
    return all;
  };
  const none = { ...dataset.splits, train: new Uint32Array() };
  const { columnData: _files, ...own } = dataset;
  return {
    ...own,
    rows: first + rows,
    labels: longer(dataset.labels, -1),
    labelled: longer(dataset.labelled, 0),
    splits: { ...dataset.splits, train },
    card() {
      const card = dataset.card(none);
      return { ...card, splits: { ...card.splits, train: { rows, unlabelled: rows } } };
    },
    async read(name, wanted): Promise<NDArray> {
      const list = Array.from(wanted);
      const own = list.filter((row) => row < first);
      if (own.length === list.length) return dataset.read(name, list);
      invariant(name === column, `the training rows have no ${name}`);
      const read = await dataset.read(name, own);
      const data = new Uint8Array(list.length * size);
      let next = 0;
      for (const [i, row] of list.entries()) {
        const [from, at] = row < first ? [read.data as Uint8Array, next++] : [bytes, (row - first) % have];
        data.set(from.subarray(at * size, (at + 1) * size), i * size);
      }
      return { ...read, dims: [list.length, ...read.dims.slice(1)], data };
    },
  };
}
