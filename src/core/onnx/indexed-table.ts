import { intAttribute } from './attributes.ts';
import type { Graph } from './model.ts';
import type { ValueType } from './ops/op.ts';

/** A table whose rows are picked by number: an embedding by ids. */
export interface IndexedTable {
  readonly name: string;
  readonly rows: number;
}

/** Operators that hand every number of their first input on; of Slice and Split some would be lost. */
const HANDS_ON = new Set(['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']);

/**
 * The smallest table that a Gather reads at all the numbers of this input, which then must lie within [-rows, rows - 1];
 * undefined where there is none, or where numbers are computed with before they are looked up.
 */
export function indexedTable(
  { nodes }: Pick<Graph, 'nodes'>,
  types: ReadonlyMap<string, ValueType>,
  input: string,
): IndexedTable | undefined {
  const numbers = new Set([input]);
  let smallest: IndexedTable | undefined;
  for (const node of nodes) {
    const [first = '', second = ''] = node.inputs;
    if (node.domain !== '') continue;
    if (HANDS_ON.has(node.op) && numbers.has(first)) numbers.add(node.outputs[0]!);
    if (node.op !== 'Gather' || !numbers.has(second)) continue;
    const rows = types.get(first)?.shape?.at(intAttribute(node, 'axis', 0));
    if (typeof rows === 'number' && !(smallest && smallest.rows <= rows)) smallest = { name: first, rows };
  }
  return smallest;
}
