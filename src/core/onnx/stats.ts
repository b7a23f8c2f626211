import { isFloat } from './dtype.ts';
import { inferShapes } from './infer-shapes.ts';
import { feedInputs, type Model, type Shape } from './model.ts';
import { ops } from './ops/index.ts';
import { sizeOf, type Tensor } from './tensor.ts';
import { allGraphs } from './walk.ts';

export interface ModelStats {
  /** Elements of all weights: float tensors and 8-bit ones, running statistics excepted. */
  readonly parameters: number;
  /** Bytes of all stored tensors. */
  readonly tensorBytes: number;
  /** Multiply-accumulates of one run with batch 1 (bodies counted once); a lower bound where `exact` is false. */
  readonly macs: number;
  readonly exact: boolean;
  readonly nodes: number;
  /** How often each operator occurs, bodies included; other domains as `domain.Op`. Sorted by name. */
  readonly ops: Readonly<Record<string, number>>;
}

/** Size and work of a model. */
export function modelStats(model: Model): ModelStats {
  const graphs = allGraphs(model.graph);
  const nodes = graphs.flatMap((graph) => graph.nodes);
  const tensors = graphs.flatMap((graph) => [...graph.initializers]);
  const statistics = new Set(
    nodes.flatMap((node) => (node.op === 'BatchNormalization' ? node.inputs.slice(3, 5) : [])),
  );
  const isWeight = ([name, t]: readonly [string, Tensor]): boolean =>
    !statistics.has(name) && (isFloat(t.dtype) || t.dtype === 'int8' || t.dtype === 'uint8');
  const held = nodes.flatMap((node) => {
    const value = node.op === 'Constant' ? node.attributes.value : undefined;
    return value?.type === 'tensor' ? [['', value.value] as const] : [];
  });
  const count = (list: readonly (readonly [string, Tensor])[]): number =>
    list.filter(isWeight).reduce((sum, [, t]) => sum + sizeOf(t.dims), 0);
  const histogram = new Map<string, number>();
  for (const node of nodes) {
    const key = node.domain ? `${node.domain}.${node.op}` : node.op;
    histogram.set(key, (histogram.get(key) ?? 0) + 1);
  }
  // A Constant of several elements is a weight stored the old way; scalars are settings.
  const constants = held.filter(([, t]) => t.dims.length > 0 && sizeOf(t.dims) > 1);
  return {
    parameters: count(tensors) + count(constants),
    tensorBytes: [...tensors, ...held].reduce(
      (sum, [, t]) => sum + (t.external?.length ?? t.bytes.length),
      0,
    ),
    ...work(model),
    nodes: nodes.length,
    ops: Object.fromEntries([...histogram].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function work(model: Model): { macs: number; exact: boolean } {
  const one = (shape: Shape): Shape => shape.map((dim, i) => (i === 0 && typeof dim !== 'number' ? 1 : dim));
  const shapes = Object.fromEntries(
    feedInputs(model.graph).flatMap((input) => (input.shape ? [[input.name, one(input.shape)]] : [])),
  );
  const { types } = inferShapes(model, { shapes });
  let macs = 0;
  let exact = true;
  for (const node of allGraphs(model.graph).flatMap((graph) => graph.nodes)) {
    const definition = ops.get(`${node.domain}/${node.op}`);
    if (!definition?.macs) continue;
    const inputs = node.inputs.map((name) => (name === '' ? undefined : types.get(name)));
    const outputs = node.outputs.map((name) => types.get(name) ?? { dtype: undefined, shape: undefined });
    const found = definition.macs({ node, inputs, opset: model.opsets[node.domain] ?? 1 }, outputs);
    exact &&= found > 0;
    macs += found;
  }
  return { macs, exact };
}
