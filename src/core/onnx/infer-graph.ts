import { isFloat } from './dtype.ts';
import { inferNode } from './infer-node.ts';
import type { Graph } from './model.ts';
import { FOLD_LIMIT } from './ops/fold.ts';
import type { ValueType } from './ops/op.ts';
import { sizeOf, type Tensor } from './tensor.ts';

export interface GraphScope {
  readonly opsets: Readonly<Record<string, number>>;
  /** Types of values around this graph (bodies of If, Loop and Scan read them). */
  readonly outer?: (name: string) => ValueType | undefined;
  /** Told of every value that is found, bodies included. */
  readonly onType?: (name: string, type: ValueType) => void;
}

/** What is known of a stored tensor: small integers are constants, small floats only settings (they may be trained). */
export function initializerType(value: Tensor): ValueType {
  const type = { dtype: value.dtype, shape: value.dims };
  if (sizeOf(value.dims) > FOLD_LIMIT || value.external || value.dtype === 'string') return type;
  return isFloat(value.dtype) ? { ...type, setting: value } : { ...type, constant: value };
}

/** Types of all values of a graph, given those of its inputs. */
export function inferGraph(
  graph: Graph,
  inputs: ReadonlyMap<string, ValueType>,
  scope: GraphScope,
): Map<string, ValueType> {
  const types = new Map<string, ValueType>(inputs);
  for (const [name, value] of graph.initializers) {
    if (!types.get(name)?.constant) types.set(name, initializerType(value));
  }
  const find = (name: string): ValueType | undefined => types.get(name) ?? scope.outer?.(name);
  const body = (inner: Graph, given: readonly ValueType[]): ValueType[] => {
    const named = new Map(inner.inputs.map((input, i) => [input.name, given[i] ?? input]));
    const found = inferGraph(inner, named, { ...scope, outer: find });
    return inner.outputs.map((o) => found.get(o.name) ?? find(o.name) ?? { dtype: o.dtype, shape: o.shape });
  };
  for (const node of graph.nodes) {
    const given = node.inputs.map((name) =>
      name === '' ? undefined : (find(name) ?? { dtype: undefined, shape: undefined }),
    );
    const found = inferNode(node, given, scope.opsets[node.domain] ?? 1, body);
    node.outputs.forEach((name, i) => {
      if (name !== '') types.set(name, found[i]!);
    });
  }
  if (scope.onType) for (const [name, type] of types) scope.onType(name, type);
  return types;
}
