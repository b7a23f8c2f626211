import type { TypedArray } from '../../core/onnx/dtype.ts';
import type { IndexedTable } from '../../core/onnx/indexed-table.ts';
import { RetortError } from '../../errors.ts';
import type { Rows } from '../training/open-rows.ts';
import type { TeacherPlan } from './teacher-plan.ts';

/** A number of the data, and the row of the dataset that holds it first. */
export interface HeldNumber {
  readonly value: number;
  readonly row: number;
}

/** Over all rows of all splits. */
export interface InputRange {
  readonly least: HeldNumber;
  readonly greatest: HeldNumber;
}

/** Rows that are read together. */
const PART = 1024;

/**
 * The range of the whole numbers a teacher is fed; null where it takes pictures or floats. Every row is looked at, before
 * anything is run: an id without a row in a table would end the job wherever it is met, on tfjs it may pass unseen.
 * DATA_MISMATCH where the teacher's table has no such row, or where a number is none its input can hold.
 */
export async function inputRange(
  { dataset, input: { dtype, picture }, plain }: Pick<Rows, 'dataset' | 'input' | 'plain'>,
  { input: { name }, table }: Pick<TeacherPlan, 'input' | 'table'>,
): Promise<InputRange | null> {
  if (picture || (dtype !== 'int32' && dtype !== 'int64')) return null;
  const { train, validation, test } = dataset.splits;
  let range: InputRange | null = null;
  for (const split of [train, validation, test]) {
    for (let from = 0; from < split.length; from += PART) {
      const rows = split.subarray(from, from + PART);
      const { inputs } = await plain.assemble(rows, 0);
      range = widened(range, inputs[name]!.data as TypedArray, rows);
    }
  }
  const outside = range && table && outsideTable(range, table);
  if (outside) {
    throw new RetortError(
      'DATA_MISMATCH',
      `input ${name}: row ${outside.row} of the dataset holds ${outside.value}, the teacher's table "${table.name}" has ${table.rows} rows`,
      {
        hint: `Its ids go from 0 to ${table.rows - 1}: make the data with the tokenizer the teacher was trained with.`,
      },
    );
  }
  return range;
}

/** A number of the data that picks no row of the table; negative ones count from its end. */
export const outsideTable = (
  { least, greatest }: InputRange,
  { rows }: IndexedTable,
): HeldNumber | undefined => [greatest, least].find(({ value }) => value >= rows || value < -rows);

function widened(range: InputRange | null, data: TypedArray, rows: Uint32Array): InputRange | null {
  const size = data.length / rows.length;
  const held = (i: number): HeldNumber => ({ value: Number(data[i]), row: rows[Math.floor(i / size)]! });
  let { least, greatest } = range ?? { least: held(0), greatest: held(0) };
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (value < least.value) least = held(i);
    if (value > greatest.value) greatest = held(i);
  }
  return { least, greatest };
}
