import { RetortError } from '../../errors.ts';
import type { Graph, Model, Node } from './model.ts';
import { freshNames, namesIn, renameValues } from './passes/graph-edit.ts';

export interface JoinOptions {
  /** Input of the second model -> value of the first that feeds it. Graph inputs of equal name are one input. */
  readonly connect: Readonly<Record<string, string>>;
  /** Outputs of the first model that the result returns too, after the second's. */
  readonly keep?: readonly string[];
}

/**
 * Puts two models behind one another. The result has the inputs of the first, then what the second still needs, and the
 * outputs of the second under their own names; values inside are renamed where both use a name.
 */
export function joinModels(first: Model, second: Model, options: JoinOptions): Model {
  const opsets = mergedOpsets(first, second);
  const fresh = freshNames(new Set([...namesIn(first), ...namesIn(second)]));
  const { toFirst, toSecond } = renamings(first, second, options, fresh);
  const a = renameValues(first.graph, toFirst);
  const b = renameValues(second.graph, toSecond);
  const connected = new Set(Object.keys(options.connect).map((name) => toSecond.get(name) ?? name));
  const known = new Set([...a.inputs.map((input) => input.name), ...connected]);
  const kept = (options.keep ?? []).map((name) => a.outputs.find((o) => o.name === name) ?? missing(name));
  // An output that is a connected input passes straight through: it keeps its name by an Identity.
  const passed = second.graph.outputs.filter((output) => output.name in options.connect);
  const graph: Graph = {
    name: a.name,
    nodes: [...a.nodes, ...b.nodes, ...passed.map((o) => identity(toSecond.get(o.name)!, o.name))],
    initializers: new Map([...a.initializers, ...b.initializers]),
    inputs: [...a.inputs, ...b.inputs.filter((input) => !known.has(input.name))],
    outputs: [...second.graph.outputs, ...kept],
    valueInfo: new Map([...a.valueInfo, ...b.valueInfo]),
  };
  return { ...first, irVersion: Math.max(first.irVersion, second.irVersion), opsets, graph };
}

const identity = (from: string, to: string): Node => ({
  op: 'Identity',
  domain: '',
  name: '',
  inputs: [from],
  outputs: [to],
  attributes: {},
});

function missing(name: string): never {
  throw new RetortError('INTERNAL', `the first model has no output "${name}" to keep`);
}

function mergedOpsets(first: Model, second: Model): Record<string, number> {
  for (const [domain, version] of Object.entries(second.opsets)) {
    const other = first.opsets[domain];
    if (other === undefined || other === version) continue;
    const name = domain || 'the default domain';
    throw new RetortError(
      'ONNX_UNSUPPORTED',
      `models of ${name} version ${other} and ${version} cannot be joined`,
      {
        hint: 'Convert both with the to-opset-18 pass first.',
      },
    );
  }
  return { ...first.opsets, ...second.opsets };
}

/** Inside names of the first give way to output names of the second; all other clashes are settled in the second. */
function renamings(first: Model, second: Model, options: JoinOptions, fresh: (stem: string) => string) {
  const taken = namesIn(first);
  const firstInputs = new Set(first.graph.inputs.map((input) => input.name));
  const keep = new Set(options.keep);
  const outputs = new Set(second.graph.outputs.map((output) => output.name));
  const toFirst = new Map<string, string>();
  for (const name of outputs) {
    if (!taken.has(name)) continue;
    if (firstInputs.has(name) || keep.has(name))
      throw new RetortError('ONNX_INVALID', `both models want "${name}" for an input or output of their own`);
    toFirst.set(name, fresh(name));
  }
  const toSecond = new Map<string, string>();
  const inputs = new Set(second.graph.inputs.map((input) => input.name));
  for (const [input, from] of Object.entries(options.connect)) {
    if (!inputs.has(input)) throw new RetortError('INTERNAL', `the second model has no input "${input}"`);
    if (!taken.has(from)) throw new RetortError('INTERNAL', `the first model has no value "${from}"`);
    toSecond.set(input, toFirst.get(from) ?? from);
  }
  for (const name of namesIn(second)) {
    const shared = inputs.has(name) && firstInputs.has(name);
    if (name === '' || toSecond.has(name) || outputs.has(name) || shared || !taken.has(name)) continue;
    toSecond.set(name, fresh(name));
  }
  return { toFirst, toSecond };
}
