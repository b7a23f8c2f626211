import { RetortError } from '../../errors.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Model, ValueInfo } from './model.ts';

/** The model with these values of its main graph as outputs behind those it has; ONNX_INVALID where there is no such value. */
export function withOutputs(model: Model, names: readonly string[]): Model {
  const { graph } = model;
  const known = new Set(graph.outputs.map((output) => output.name));
  const wanted = [...new Set(names)].filter((name) => !known.has(name));
  if (wanted.length === 0) return model;
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const missing = wanted.filter((name) => name === '' || !made.has(name));
  if (missing.length > 0) {
    throw new RetortError('ONNX_INVALID', `no node makes "${missing.join('", "')}"`);
  }
  const { types } = inferShapes(model);
  const added = wanted.map(
    (name): ValueInfo => ({ name, dtype: types.get(name)?.dtype, shape: types.get(name)?.shape }),
  );
  return { ...model, graph: { ...graph, outputs: [...graph.outputs, ...added] } };
}
