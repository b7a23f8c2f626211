import { graphAttribute } from '../attributes.ts';
import { inferShapes } from '../infer-shapes.ts';
import type { Graph, Model, Node } from '../model.ts';
import type { ValueType } from '../ops/op.ts';
import { numbers, type Tensor } from '../tensor.ts';
import { producers } from '../walk.ts';
import { type FoldOptions, foldShapes } from './fold-shapes.ts';
import { freshNames, namesIn, trimValueInfo, withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';
import { axisOf, scanned, TurnWriter } from './turn-writer.ts';

/** Most nodes that loops may become. A recurrence over more steps is better exported as LSTM, GRU or RNN. */
const MOST_NODES = 20_000;

type Types = ReadonlyMap<string, ValueType>;

/**
 * Loop and Scan nodes that run a number of times known beforehand are written out, turn by turn, so that what is in them
 * can be differentiated. Exporters make them of EmbeddingBag and of recurrences. Others stay, and so do very long ones.
 */
export const unrollLoops: Pass<FoldOptions> = {
  name: 'unroll-loops',
  summary: 'No loop of the main graph has a known number of turns (up to 20,000 nodes in all).',
  run: (model, options) => {
    let current = model;
    for (let room = MOST_NODES; ; ) {
      const next = unrolledOnce(current, options, room);
      if (next === current) return current;
      room -= next.graph.nodes.length - current.graph.nodes.length;
      current = foldShapes.run(next, options);
    }
  },
};

function unrolledOnce(model: Model, options: FoldOptions, room: number): Model {
  const { graph } = model;
  if (!graph.nodes.some(isLoop)) return model;
  const { types } = inferShapes(model, options.foldable ? { foldable: options.foldable } : {});
  const stored = new Map(graph.initializers);
  const writer = new TurnWriter(stored, freshNames(namesIn(model)));
  let left = room;
  let changed = false;
  const nodes = graph.nodes.flatMap((node) => {
    const body = isLoop(node) ? graphAttribute(node, 'body') : undefined;
    const turns = body && turnsOf(node, body, types);
    if (!body || turns === undefined || turns * body.nodes.length > left) return [node];
    left -= turns * body.nodes.length;
    changed = true;
    return node.op === 'Loop' ? writer.loop(node, body, turns) : writer.scan(node, body, turns, types);
  });
  return changed ? withGraph(model, trimValueInfo({ ...graph, nodes, initializers: stored })) : model;
}

const isLoop = ({ op, domain }: Node): boolean => domain === '' && (op === 'Loop' || op === 'Scan');

/** How often a body runs, where that is certain; a loop that never runs makes nothing to write out. */
function turnsOf(node: Node, body: Graph, types: Types): number | undefined {
  if (node.op === 'Scan') return scanLength(node, types) || undefined;
  const count = types.get(node.inputs[0] ?? '')?.constant;
  const turns = count && numbers(count)[0]!;
  const starts = node.inputs[1] ? isTrue(types.get(node.inputs[1])?.constant) : true;
  if (!turns || turns < 1 || !starts) return undefined;
  // The condition must stay true: handed on as it came, or a constant.
  const made = producers(body);
  let name = body.outputs[0]?.name ?? '';
  for (let from = made.get(name); from && ['Cast', 'Identity'].includes(from.op); from = made.get(name)) {
    name = from.inputs[0]!;
  }
  if (name === body.inputs[1]?.name) return turns;
  const value = made.get(name)?.attributes.value;
  const known =
    body.initializers.get(name) ?? (value?.type === 'tensor' ? value.value : types.get(name)?.constant);
  return isTrue(known) ? turns : undefined;
}

const isTrue = (value: Tensor | undefined): boolean => value !== undefined && numbers(value)[0] !== 0;

function scanLength(node: Node, types: Types): number | undefined {
  const [first] = scanned(node);
  const shape = types.get(first ?? '')?.shape;
  const ranksKnown = scanned(node).every((name) => types.get(name)?.shape);
  const length = shape && ranksKnown ? shape[axisOf(node, 'scan_input_axes', 0, shape.length)] : undefined;
  return typeof length === 'number' ? length : undefined;
}
