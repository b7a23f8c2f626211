import { RetortError } from '../../../errors.ts';
import { graphAttribute, intAttribute, intsAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { integersOf, unknownType } from './context.ts';
import { joinShapes } from './dims.ts';
import type { InferContext, OpDefinition, ValueType } from './op.ts';

/** If, Loop and Scan: types come from inferring their body graphs. */

const joinTypes = (a: ValueType, b: ValueType): ValueType => ({
  dtype: a.dtype === b.dtype ? a.dtype : undefined,
  shape: joinShapes(a.shape, b.shape),
});

const bare = (type: ValueType | undefined): ValueType => ({ dtype: type?.dtype, shape: type?.shape });

/** A known condition leaves one branch; otherwise a branch that contradicts these shapes is never taken with them. */
function inferIf(c: InferContext): ValueType[] {
  const condition = c.inputs[0]?.constant;
  const branches = condition
    ? [condition.bytes[0] ? 'then_branch' : 'else_branch']
    : ['then_branch', 'else_branch'];
  const found: (readonly ValueType[])[] = [];
  let contradiction: unknown;
  for (const name of branches) {
    const graph = graphAttribute(c.node, name);
    if (!graph || !c.body) return [];
    try {
      found.push(c.body(graph, []));
    } catch (error) {
      if (!(error instanceof RetortError && error.code === 'ONNX_SHAPE')) throw error;
      contradiction = error;
    }
  }
  const [one, other] = found;
  if (!one) throw contradiction;
  if (!other) return condition ? [...one] : one.map(bare);
  return c.node.outputs.map((_, i) => (one[i] && other[i] ? joinTypes(one[i], other[i]) : unknownType));
}

/** Types of values carried round a body whose shapes may change on the way: widened until they hold. */
function settle(
  initial: readonly ValueType[],
  run: (carried: readonly ValueType[]) => readonly ValueType[],
): { carried: ValueType[]; outputs: readonly ValueType[] } {
  let carried = initial.map(bare);
  for (;;) {
    const outputs = run(carried);
    const next = carried.map((type, i) => joinTypes(type, outputs[i] ?? unknownType));
    if (JSON.stringify(next) === JSON.stringify(carried)) return { carried, outputs };
    carried = next;
  }
}

const stacked = (count: Dim, type: ValueType | undefined): ValueType => ({
  dtype: type?.dtype,
  shape: type?.shape && [count, ...type.shape],
});

/** Inputs: trip count, condition, carried values; body (i, condition, carried) -> (condition, carried, scanned). */
function inferLoop(c: InferContext): ValueType[] {
  const body = graphAttribute(c.node, 'body');
  if (!body || !c.body) return [];
  const scalar = [
    { dtype: 'int64', shape: [] },
    { dtype: 'bool', shape: [] },
  ] as const;
  const initial = c.inputs.slice(2).map((type) => type ?? unknownType);
  const { carried, outputs } = settle(initial, (types) => c.body!(body, [...scalar, ...types]).slice(1));
  // The condition may end the loop early, so the trip count is certain only where there is none.
  const count = c.inputs[1] ? '' : (integersOf(c, 0)?.[0] ?? '');
  return [...carried, ...outputs.slice(carried.length).map((type) => stacked(count, type))];
}

/** Inputs: n states, then m sequences read along their scan axes. */
function inferScan(c: InferContext): ValueType[] {
  const body = graphAttribute(c.node, 'body');
  if (!body || !c.body || c.opset < 9) return [];
  const scans = intAttribute(c.node, 'num_scan_inputs', 0);
  const states = c.inputs.length - scans;
  const axes = intsAttribute(c.node, 'scan_input_axes', new Array<number>(scans).fill(0));
  let length: Dim = '';
  const rows = c.inputs.slice(states).map((type, i): ValueType => {
    const axis = (axes[i]! + (type?.shape?.length ?? 0)) % (type?.shape?.length || 1);
    length = type?.shape?.[axis] || length;
    return { dtype: type?.dtype, shape: type?.shape?.filter((_, a) => a !== axis) };
  });
  const initial = c.inputs.slice(0, states).map((type) => type ?? unknownType);
  const { carried, outputs } = settle(initial, (types) => c.body!(body, [...types, ...rows]));
  const made = outputs.slice(states);
  const places = intsAttribute(c.node, 'scan_output_axes', new Array<number>(made.length).fill(0));
  return [...carried, ...made.map((type, i) => inserted(type, length, places[i]!))];
}

function inserted(type: ValueType, length: Dim, place: number): ValueType {
  if (!type.shape) return bare(type);
  const at = place < 0 ? place + type.shape.length + 1 : place;
  const shape: Shape = [...type.shape.slice(0, at), length, ...type.shape.slice(at)];
  return { dtype: type.dtype, shape };
}

export const control: readonly OpDefinition[] = [
  { op: 'If', infer: inferIf },
  { op: 'Loop', infer: inferLoop },
  { op: 'Scan', infer: inferScan },
];
