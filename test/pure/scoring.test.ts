import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchMaker } from '../../src/data/batch.ts';
import type { Column, Dataset } from '../../src/data/dataset.ts';
import { planInput } from '../../src/data/preprocess.ts';
import { scoreRows } from '../../src/pipeline/logits/score-rows.ts';
import { Scorer } from '../../src/pipeline/logits/scorer.ts';
import type { Session } from '../../src/pipeline/ports.ts';

const ROWS = 11;
const column: Column = { name: 'x', kind: 'array', dtype: 'float32', dims: [1] };
const dataset: Dataset = {
  columns: [column],
  rows: ROWS,
  classes: ['a', 'b'],
  labels: new Int32Array(ROWS),
  splits: { train: new Uint32Array(), validation: new Uint32Array(), test: new Uint32Array() },
  read: async (_, rows) => ({
    dtype: 'float32',
    dims: [rows.length, 1],
    data: Float32Array.from(rows),
  }),
  close: async () => {},
};

/** A model with the scores [x, -x]; keeps what it was fed. */
function sessionOf(): { readonly session: Session; readonly fed: number[][] } {
  const fed: number[][] = [];
  const session: Session = {
    inputs: [],
    outputs: [],
    run: async ({ x }) => {
      const values = [...(x!.data as Float32Array)];
      fed.push(values);
      const data = Float32Array.from(values.flatMap((value) => [value, -value]));
      return { scores: { dtype: 'float32', dims: [values.length, 2], data } };
    },
    close: async () => {},
  };
  return { session, fed };
}

test('every row is scored once, in order, whatever batch the model wants', async () => {
  const rows = Uint32Array.of(10, 3, 4, 5, 0, 1, 7);
  for (const batch of [null, 1, 2, 4, 16]) {
    const { session, fed } = sessionOf();
    const scorer = new Scorer(session, {
      batch,
      input: { name: 'x', dtype: 'float32', shape: [1] },
      constants: [],
      scores: { name: 'scores', classes: 2, kind: 'logits' },
    });
    const maker = new BatchMaker(dataset, { inputs: { x: planInput('x', {}, column) }, seed: 0 });
    const logits = await scoreRows(scorer, maker, rows, { input: 'x', classes: 2, batch: 5 });
    assert.deepEqual(
      [...logits],
      [...rows].flatMap((row) => [row, -row]),
    );
    // Filled up with the last row, which counts once.
    if (batch === 4)
      assert.deepEqual(fed, [
        [10, 3, 4, 5],
        [0, 0, 0, 0],
        [1, 7, 7, 7],
      ]);
    if (batch !== null) assert.ok(fed.every((values) => values.length === batch));
  }
});
