import { RetortError } from '../../errors.ts';
import { extract } from './extract.ts';
import { inferShapes } from './infer-shapes.ts';
import { feedInputs, type Graph, type Model, type Node } from './model.ts';
import type { ValueType } from './ops/op.ts';
import { sizeOf } from './tensor.ts';
import { producers, readsOf, useCounts } from './walk.ts';

export interface FrozenSplit {
  /** Layout, scale and type changes right behind the inputs; undefined where there are none. */
  readonly prefix: Model | undefined;
  /** Everything between: what a student replaces. */
  readonly body: Model;
  /** What follows the class scores; undefined where they are the only output. */
  readonly suffix: Model | undefined;
  /** The tensor each input of the teacher has become where the body starts. */
  readonly boundary: Readonly<Record<string, string>>;
  /** Outputs that are not made from the class scores: a student cannot reproduce them. */
  readonly independent: readonly string[];
}

/**
 * Cuts a model into frozen prefix, trainable body and frozen suffix around the class scores `logits`. Joined again
 * (`joinModels`) they are the model.
 */
export function splitFrozen(model: Model, logits: string): FrozenSplit {
  const { graph } = model;
  const inferred = inferShapes(model);
  if (!inferred.types.has(logits))
    throw new RetortError('ONNX_INVALID', `no value named "${logits}" in this model`);
  const boundary: Record<string, string> = {};
  for (const input of feedInputs(graph)) boundary[input.name] = frozenEnd(input.name, graph, inferred.types);
  const moved = Object.entries(boundary).filter(([from, to]) => from !== to);
  const after = downstream(graph, logits);
  const independent = graph.outputs.map((o) => o.name).filter((name) => !after.has(name));
  const dependent = graph.outputs.map((o) => o.name).filter((name) => after.has(name));
  const onlyLogits = dependent.length === 1 && dependent[0] === logits;
  const ends = moved.map(([, to]) => to);
  const body = extract(model, ends, [logits], inferred);
  return {
    prefix: ends.length > 0 ? extract(model, [], ends, inferred) : undefined,
    body,
    suffix:
      dependent.length === 0 || onlyLogits ? undefined : suffixOf(model, logits, dependent, ends, inferred),
    boundary,
    independent,
  };
}

/** The suffix may read graph inputs (a threshold), but nothing of the body except the scores. */
function suffixOf(
  model: Model,
  logits: string,
  outputs: readonly string[],
  ends: readonly string[],
  inferred: ReturnType<typeof inferShapes>,
): Model {
  const suffix = extract(model, [logits], outputs, inferred);
  const body = extract(model, ends, [logits], inferred);
  const again = suffix.graph.nodes.find(
    (node) => body.graph.nodes.includes(node) && dependsOnFeeds(node, model.graph),
  );
  if (again) {
    throw new RetortError(
      'ONNX_UNSUPPORTED',
      `outputs are made from "${again.outputs[0]}" as well as from the class scores "${logits}"`,
      { hint: 'Export the teacher with the class scores as its only output.' },
    );
  }
  return suffix;
}

function dependsOnFeeds(node: Node, graph: Graph): boolean {
  const made = producers(graph);
  const feeds = new Set(feedInputs(graph).map((input) => input.name));
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    if (feeds.has(name)) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    const from = made.get(name);
    return from !== undefined && readsOf(from).some(visit);
  };
  return readsOf(node).some(visit);
}

/** Names that depend on a value, itself included. */
function downstream(graph: Graph, from: string): Set<string> {
  const found = new Set([from]);
  for (const node of graph.nodes) {
    if (readsOf(node).some((name) => found.has(name))) for (const name of node.outputs) found.add(name);
  }
  return found;
}

const layoutOps = ['Cast', 'Clip', 'Identity', 'ImageScaler', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze'];
const scaleOps = ['Add', 'Div', 'Mul', 'Sub'];

/** Largest scale or offset that counts as preprocessing: one value, or one per channel of a few. */
const SCALE_LIMIT = 16;

/** Follows single-consumer layout, scale and type operators from an input as far as they go. */
function frozenEnd(input: string, graph: Graph, types: ReadonlyMap<string, ValueType>): string {
  const uses = useCounts(graph);
  let at = input;
  for (;;) {
    if (uses.get(at) !== 1 || graph.outputs.some((output) => output.name === at)) return at;
    const node = graph.nodes.find((n) => n.inputs.includes(at));
    if (node?.domain !== '' || node.outputs.length !== 1 || !isFrozen(node, at, graph, types)) return at;
    at = node.outputs[0]!;
  }
}

function isFrozen(node: Node, at: string, graph: Graph, types: ReadonlyMap<string, ValueType>): boolean {
  const others = node.inputs.filter((name) => name !== at && name !== '');
  const fixed = others.every(
    (name) => graph.initializers.has(name) || types.get(name)?.constant !== undefined,
  );
  const [before, after] = [types.get(at)?.shape, types.get(node.outputs[0]!)?.shape];
  if (!fixed || !after) return false;
  if (scaleOps.includes(node.op)) {
    const sizes = others.map((name) => sizeOf(graph.initializers.get(name)?.dims ?? []));
    return sizes.every((size) => size <= SCALE_LIMIT) && after.length === before?.length;
  }
  // A picture stays a picture: what flattens it belongs to the network.
  return layoutOps.includes(node.op) && (before === undefined || after.length >= before.length);
}
