import { toAttribute } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { freshNames, namesIn, withGraph } from '../onnx/passes/graph-edit.ts';

/** Puts every BatchNormalization into training mode: statistics of the batch, running ones as outputs 1 and 2. */
export function withBatchStatistics(model: Model): Model {
  const fresh = freshNames(namesIn(model));
  const train = (node: Node): Node => {
    if (node.op !== 'BatchNormalization' || node.domain !== '') return node;
    const [y, mean, variance] = node.outputs;
    return {
      ...node,
      outputs: [y!, mean || fresh(`${y}_mean`), variance || fresh(`${y}_var`)],
      attributes: { ...node.attributes, training_mode: toAttribute(1) },
    };
  };
  return withGraph(model, { ...model.graph, nodes: model.graph.nodes.map(train) });
}
