import { intAttribute } from '../attributes.ts';
import type { Graph, Node } from '../model.ts';
import { numbers } from '../tensor.ts';
import { producers } from '../walk.ts';
import { withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';
import { prune } from './prune.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Exporters split tensors through sequences. Where everything is known, plain operators do:
 * 1. SplitToSequence becomes Split; SequenceAt with a constant position becomes that part (an Identity).
 * 2. SequenceConstruct and SequenceAt, ConcatFromSequence and SequenceConstruct meet likewise.
 */
export const lowerSequences: Pass = {
  name: 'lower-sequences',
  summary: 'No sequence stands between tensors that are known beforehand.',
  run: (model) => {
    if (!model.graph.nodes.some((node) => sequenceOps.has(node.op))) return model;
    const parts = new Map<string, readonly string[]>();
    const graph = new Rewriter(model).run((node, r) => lowered(node, r, parts));
    return graph === model.graph ? model : prune.run(withGraph(model, graph), {});
  },
  ensures: (result) => leftovers(result.graph),
};

const sequenceOps = new Set(['ConcatFromSequence', 'SequenceAt', 'SequenceConstruct', 'SplitToSequence']);

/** A SequenceAt of a made sequence at a known place would be a mistake of ours. */
function leftovers(graph: Graph): string[] {
  const made = producers(graph);
  const known = (node: Node): boolean => graph.initializers.has(node.inputs[1] ?? '');
  return graph.nodes
    .filter(
      (node) =>
        node.op === 'SequenceAt' && known(node) && made.get(node.inputs[0]!)?.op === 'SequenceConstruct',
    )
    .map((node) => `"${node.outputs[0]}" is still taken from a sequence`);
}

function lowered(node: Node, r: Rewriter, parts: Map<string, readonly string[]>): boolean {
  if (node.domain !== '' || !sequenceOps.has(node.op)) return false;
  const list = parts.get(node.inputs[0] ?? '');
  switch (node.op) {
    case 'SplitToSequence':
      return splitParts(node, r, parts);
    case 'SequenceConstruct':
      parts.set(node.outputs[0]!, node.inputs);
      return false;
    case 'SequenceAt': {
      const at = r.type(node.inputs[1]!).constant;
      const part = at && list?.at(numbers(at)[0]!);
      if (!part) return false;
      r.op('Identity', [part], {}, node.outputs);
      return true;
    }
    default: {
      if (!list) return false;
      const axis = intAttribute(node, 'axis', 0);
      if (intAttribute(node, 'new_axis', 0) === 0) r.op('Concat', list, { axis }, node.outputs);
      else
        r.op(
          'Concat',
          list.map((part) => r.op('Unsqueeze', [part, r.ints([axis])])),
          { axis },
          node.outputs,
        );
      return true;
    }
  }
}

/** Split at 13 or later, with the sizes inference found; the sequence itself stays while something else reads it. */
function splitParts(node: Node, r: Rewriter, parts: Map<string, readonly string[]>): boolean {
  const shape = r.type(node.inputs[0]!).shape;
  const elements = r.type(node.outputs[0]!).sequence;
  if (!shape || !elements || r.opset < 13) return false;
  const attribute = intAttribute(node, 'axis', 0);
  const axis = attribute < 0 ? attribute + shape.length : attribute;
  const dropped = elements[0]?.shape?.length !== shape.length;
  const sizes = elements.map((element) => (dropped ? 1 : element.shape?.[axis]));
  if (!sizes.every((size) => typeof size === 'number')) return false;
  const outputs = sizes.map(() => r.fresh('part'));
  r.op('Split', [node.inputs[0]!, r.ints(sizes)], { axis }, outputs);
  const flat = dropped ? outputs.map((part) => r.op('Squeeze', [part, r.ints([axis])])) : outputs;
  parts.set(node.outputs[0]!, flat);
  r.op('SequenceConstruct', flat, {}, node.outputs);
  return true;
}
