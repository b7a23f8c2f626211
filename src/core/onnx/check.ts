import { type ErrorCode, RetortError } from '../../errors.ts';
import { checkTensor } from './check-tensor.ts';
import type { Graph, Model, Node, ValueInfo } from './model.ts';
import { sparseInitializerNames } from './sparse-initializer-names.ts';
import type { Tensor } from './tensor.ts';
import { bodiesOf, visitNodes } from './walk.ts';

/** One thing that is wrong with a model. */
export interface Problem {
  readonly code: ErrorCode;
  /** The graph, node or value it was found at: `graph "main", node 3 Conv "conv1"`. */
  readonly where: string;
  readonly message: string;
}

const MAX_IR_VERSION = 13;
const MAX_OPSET = 26;

type Report = (code: ErrorCode, where: string, message: string) => void;

/**
 * All problems of a model, in file order; empty means it keeps the rules of the ONNX specification that do not depend
 * on single operators (those are for shape inference and the runtime).
 */
export function checkModel(model: Model): readonly Problem[] {
  const problems: Problem[] = [];
  const report: Report = (code, where, message) => problems.push({ code, where, message });
  checkVersions(model, report);
  checkGraph(model.graph, undefined, report);
  return problems;
}

function checkVersions(model: Model, report: Report): void {
  const { irVersion, opsets } = model;
  if (irVersion < 1) report('ONNX_INVALID', 'model', `IR version ${irVersion}`);
  if (irVersion > MAX_IR_VERSION) {
    report('ONNX_UNSUPPORTED', 'model', `IR version ${irVersion}; the newest known is ${MAX_IR_VERSION}`);
  }
  for (const [domain, version] of Object.entries(opsets)) {
    const where = `opset of domain "${domain || 'ai.onnx'}"`;
    if (version < 1) report('ONNX_INVALID', where, `version ${version}`);
    if (domain === '' && version > MAX_OPSET) {
      report('ONNX_UNSUPPORTED', where, `version ${version}; the newest known is ${MAX_OPSET}`);
    }
  }
  const missing = new Map<string, string>();
  visitNodes(model.graph, ({ domain, op }) => {
    if (!Object.hasOwn(opsets, domain) && !missing.has(domain)) missing.set(domain, op);
  });
  for (const [domain, op] of missing) {
    const message = `operator ${op} is of domain "${domain || 'ai.onnx'}", which opset_import does not list`;
    report('ONNX_INVALID', 'model', message);
  }
}

/** Names that nodes of a graph can read, and how to look further out. */
interface Scope {
  readonly names: Set<string>;
  readonly outer: Scope | undefined;
}

const sees = (scope: Scope | undefined, name: string): boolean =>
  scope !== undefined && (scope.names.has(name) || sees(scope.outer, name));

function checkGraph(graph: Graph, outer: Scope | undefined, report: Report): void {
  const here = `graph "${graph.name}"`;
  const names = new Set<string>();
  const scope: Scope = { names, outer };
  const declared = new Map([
    ...graph.valueInfo,
    ...graph.inputs.map((input) => [input.name, input] as const),
  ]);
  checkInputs(graph, scope, here, report);
  for (const [name, value] of graph.initializers) {
    if (name === '') report('ONNX_INVALID', here, 'an initializer has no name');
    names.add(name);
    checkTensor(value, (code, message) => report(code, `${here}, initializer "${name}"`, message));
    checkDeclared(declared.get(name), name, value, here, report);
  }
  try {
    for (const name of sparseInitializerNames(graph)) names.add(name);
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    report(error.code, here, error.message);
  }

  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  graph.nodes.forEach((node, i) => {
    const where = `${here}, node ${i} ${node.op}${node.name ? ` "${node.name}"` : ''}`;
    checkNode(node, scope, made, where, report);
    for (const name of node.outputs) {
      if (name === '') continue;
      if (sees(scope, name)) report('ONNX_INVALID', where, `output "${name}" is defined before (not SSA)`);
      names.add(name);
    }
  });
  checkOutputs(graph, scope, here, report);
}

function checkInputs(graph: Graph, scope: Scope, here: string, report: Report): void {
  const { names } = scope;
  for (const input of graph.inputs) {
    if (input.name === '') report('ONNX_INVALID', here, 'an input has no name');
    else if (sees(scope, input.name)) report('ONNX_INVALID', here, `input "${input.name}" is defined before`);
    names.add(input.name);
    const typed = input.dtype || input.otherType || graph.initializers.has(input.name);
    // Bodies may leave the types of their inputs to inference.
    if (!scope.outer && !typed) report('ONNX_INVALID', here, `input "${input.name}" has no type`);
  }
}

/** A note on a value (graph input, value_info) must not contradict the stored tensor. */
function checkDeclared(
  declared: ValueInfo | undefined,
  name: string,
  value: Tensor,
  here: string,
  report: Report,
): void {
  if (!declared || fits(declared, value)) return;
  const said = `${declared.dtype ?? '?'}[${declared.shape?.join(', ') ?? '...'}]`;
  const message = `initializer "${name}" is ${value.dtype}[${value.dims.join(', ')}], but declared as ${said}`;
  report('ONNX_INVALID', here, message);
}

const fits = ({ dtype, shape }: ValueInfo, value: Tensor): boolean =>
  (!dtype || dtype === value.dtype) &&
  (!shape ||
    (shape.length === value.dims.length &&
      shape.every((dim, i) => typeof dim === 'string' || dim === value.dims[i])));

function checkNode(node: Node, scope: Scope, made: ReadonlySet<string>, where: string, report: Report): void {
  if (node.op === '') report('ONNX_INVALID', where, 'no operator is named');
  for (const name of new Set(node.inputs)) {
    if (name === '' || sees(scope, name)) continue;
    const late = made.has(name) ? 'is made only later (not in topological order)' : 'is made by nothing';
    report('ONNX_INVALID', where, `input "${name}" ${late}`);
  }
  for (const [name, attribute] of Object.entries(node.attributes)) {
    const at = `${where}, attribute ${name}`;
    if (name === '') report('ONNX_INVALID', where, 'an attribute has no name');
    const tensors =
      attribute.type === 'tensor' ? [attribute.value] : attribute.type === 'tensors' ? attribute.value : [];
    for (const value of tensors) checkTensor(value, (code, message) => report(code, at, message));
  }
  for (const body of bodiesOf(node)) {
    checkGraph(body, scope, (code, inside, message) => report(code, `${where}, ${inside}`, message));
  }
}

function checkOutputs(graph: Graph, scope: Scope, here: string, report: Report): void {
  if (graph.outputs.length === 0) report('ONNX_INVALID', here, 'it has no outputs');
  const seen = new Set<string>();
  for (const { name } of graph.outputs) {
    if (seen.has(name)) report('ONNX_INVALID', here, `output "${name}" is listed twice`);
    seen.add(name);
    if (!sees(scope, name)) report('ONNX_INVALID', here, `output "${name}" is made by nothing`);
  }
}
