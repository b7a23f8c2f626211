import { RetortError } from '../../errors.ts';
import { type InferredShapes, inferShapes } from './infer-shapes.ts';
import type { Graph, Model, Node, ValueInfo } from './model.ts';
import { trimValueInfo } from './passes/graph-edit.ts';
import { readsOf } from './walk.ts';

/**
 * The part of a model that computes `outputs` when the values `inputs` are given: nodes behind the cut are left out, and
 * graph inputs that are still needed stay inputs. Tensors are shared.
 */
export function extract(
  model: Model,
  inputs: readonly string[],
  outputs: readonly string[],
  inferred: InferredShapes = inferShapes(model),
): Model {
  const { graph } = model;
  const info = (name: string): ValueInfo => {
    const declared = [...graph.inputs, ...graph.outputs].find((value) => value.name === name);
    if (declared) return declared;
    const type = inferred.types.get(name);
    if (!type) throw new RetortError('ONNX_INVALID', `no value named "${name}" in this model`);
    return { name, dtype: type.dtype, shape: type.shape };
  };
  const cut = new Set(inputs);
  const live = new Set(outputs);
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    const wanted = node.outputs.some((name) => live.has(name) && !cut.has(name));
    if (!wanted) continue;
    nodes.push(node);
    for (const name of readsOf(node)) live.add(name);
  }
  const feeds = graph.inputs.filter(
    (i) => !cut.has(i.name) && live.has(i.name) && !graph.initializers.has(i.name),
  );
  const part: Graph = {
    ...graph,
    nodes: nodes.reverse(),
    initializers: new Map([...graph.initializers].filter(([name]) => live.has(name) && !cut.has(name))),
    inputs: [...inputs.map(info), ...feeds],
    outputs: outputs.map(info),
  };
  return { ...model, graph: trimValueInfo(part) };
}
