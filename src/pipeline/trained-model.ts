import type { Graph, Model, Node } from '../core/onnx/model.ts';
import type { Snapshot } from '../core/program/kernel.ts';
import { invariant } from '../errors.ts';

/**
 * The student with its trained numbers put back: parameters and running statistics, moving averages where asked.
 * Nothing else changes; it is still the training graph.
 */
export function withSnapshot(student: Model, { tensors }: Snapshot, average: boolean): Model {
  const initializers = new Map(student.graph.initializers);
  for (const [name, initial] of student.graph.initializers) {
    const trained = (average ? tensors.get(`ema:${name}`) : undefined) ?? tensors.get(name);
    if (!trained) continue;
    invariant(trained.dims.join() === initial.dims.join(), `the trained "${name}" has another shape`);
    initializers.set(name, trained);
  }
  return { ...student, graph: { ...student.graph, initializers } };
}

/** For use instead of training: batch normalisation reads its running statistics, dropout passes everything. */
export function forInference(model: Model): Model {
  const graph: Graph = { ...model.graph, nodes: model.graph.nodes.map(settled) };
  return { ...model, graph };
}

function settled(node: Node): Node {
  if (node.op === 'BatchNormalization') {
    const { training_mode: _mode, ...attributes } = node.attributes;
    return { ...node, attributes, outputs: node.outputs.slice(0, 1) };
  }
  if (node.op === 'Dropout') {
    return {
      ...node,
      op: 'Identity',
      attributes: {},
      inputs: node.inputs.slice(0, 1),
      outputs: node.outputs.slice(0, 1),
    };
  }
  return node;
}
