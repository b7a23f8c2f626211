import type { Graph } from '../onnx/model.ts';

/** Replaces the first dimension of every fed input by a fixed batch B: training graphs have static shapes. */
export function withStaticBatch(graph: Graph, batch: number): Graph {
  const inputs = graph.inputs.map((input) =>
    input.shape && !graph.initializers.has(input.name)
      ? { ...input, shape: [batch, ...input.shape.slice(1)] }
      : input,
  );
  return { ...graph, inputs };
}
