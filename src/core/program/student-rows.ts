import { inferShapes } from '../onnx/infer-shapes.ts';
import type { Model } from '../onnx/model.ts';
import { asWritten } from '../students/own-names.ts';
import { rowDims, type SeenTensor } from './row-dims.ts';
import { withStaticBatch } from './static-batch.ts';

/** Dimensions of one row of a tensor of the student; `word` is the one in the spec that names it. */
export type StudentRows = (name: string, word: 'to' | 'at') => readonly number[];

/**
 * Looks at tensors of a student that is trained on B rows: SPEC_INVALID for one that is not float32 [N, ...]. With L = B a
 * tensor [L, N, D] is as good as one [N, L, D] by its dimensions, and a loss would compare the wrong axes; therefore it is
 * looked at with 2 B rows, too, which suit every graph that B rows suit.
 */
export function studentRows(student: Model, batchSize: number): StudentRows {
  const seenWith = (rows: number) => {
    const { types } = inferShapes({ ...student, graph: withStaticBatch(student.graph, rows) });
    return (name: string): SeenTensor => ({ rows, type: types.get(name) });
  };
  let runs: readonly ReturnType<typeof seenWith>[] | undefined;
  return (name, word) => {
    runs ??= [batchSize, 2 * batchSize].map(seenWith);
    return rowDims(
      `the student's tensor "${asWritten(name)}"`,
      runs.map((seen) => seen(name)),
      {
        dtype: 'float32',
        hint: `Name another one in "${word}", of float32 with its rows first: [N, C, H, W], [N, L, D] or [N, D].`,
      },
    );
  };
}
