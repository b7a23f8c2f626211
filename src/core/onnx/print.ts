import { byteLength, dtypes } from './dtype.ts';
import type { Attribute, Dim, Graph, Model, Node, Shape, ValueInfo } from './model.ts';
import { numbers, sizeOf, type Tensor } from './tensor.ts';

/** Elements of a tensor that are shown. */
const SHOWN = 8;

/** A model as text for people and golden files: one line per value, stable from run to run. */
export function printModel(model: Model): string {
  const opsets = Object.entries(model.opsets).map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`);
  const made = model.producer
    ? `, made by ${[model.producer, model.producerVersion].filter(Boolean).join(' ')}`
    : '';
  const head = `model IR ${model.irVersion}, opset ${opsets.join(', ')}${made}`;
  const metadata = Object.entries(model.metadata ?? {}).map(([key, value]) => `  ${key}: ${quote(value)}`);
  return `${[head, ...metadata, ...printGraph(model.graph)].join('\n')}\n`;
}

function printGraph(graph: Graph): string[] {
  const list = (values: readonly ValueInfo[]) => values.map(printValue).join(', ');
  const lines = [`graph ${quote(graph.name)} (${list(graph.inputs)}) -> (${list(graph.outputs)})`];
  for (const [name, value] of graph.initializers) lines.push(`  ${name}: ${printTensor(value)}`);
  for (const node of graph.nodes) lines.push(...printNode(node).map((line) => `  ${line}`));
  if (graph.rest) lines.push(`  (${graph.rest.length} bytes not interpreted)`);
  return lines;
}

function printNode(node: Node): string[] {
  const names = (list: readonly string[]) => list.map((name) => name || '_').join(', ');
  const op = node.domain ? `${node.domain}.${node.op}` : node.op;
  const plain: string[] = [];
  const bodies: string[] = [];
  for (const [name, attribute] of Object.entries(node.attributes)) {
    const graphs = graphsOf(attribute);
    if (!graphs) plain.push(`${name}=${printAttribute(attribute)}`);
    else
      for (const graph of graphs)
        bodies.push(`  ${name}:`, ...printGraph(graph).map((line) => `    ${line}`));
  }
  const settings = plain.length ? ` {${plain.join(', ')}}` : '';
  const label = node.name ? ` # ${node.name}` : '';
  return [`${names(node.outputs)} = ${op}(${names(node.inputs)})${settings}${label}`, ...bodies];
}

function graphsOf(attribute: Attribute): readonly Graph[] | undefined {
  if (attribute.type === 'graph') return [attribute.value];
  return attribute.type === 'graphs' ? attribute.value : undefined;
}

/** Everything but graphs, which take lines of their own. */
function printAttribute(attribute: Attribute): string {
  switch (attribute.type) {
    case 'float':
      return printFloat(attribute.value);
    case 'int':
      return String(attribute.value);
    case 'string':
      return printBytes(attribute.value);
    case 'tensor':
      return printTensor(attribute.value);
    case 'floats':
      return `[${attribute.value.map(printFloat).join(', ')}]`;
    case 'ints':
      return `[${attribute.value.join(', ')}]`;
    case 'strings':
      return `[${attribute.value.map(printBytes).join(', ')}]`;
    case 'tensors':
      return `[${attribute.value.map(printTensor).join(', ')}]`;
    case 'graph':
    case 'graphs':
      return '';
    case 'other':
      return `(${attribute.value.length} bytes not interpreted)`;
  }
}

function printValue(info: ValueInfo): string {
  if (info.otherType) return `${info.name}: (no tensor)`;
  return `${info.name}: ${info.dtype ?? '?'}${printShape(info.shape)}`;
}

const printShape = (shape: Shape | undefined): string =>
  shape ? `[${shape.map((dim: Dim) => (dim === '' ? '?' : dim)).join(', ')}]` : '[...]';

function printTensor(value: Tensor): string {
  const type = `${value.dtype}${printShape(value.dims)}`;
  if (value.external) return `${type} in ${quote(value.external.location)} at ${value.external.offset}`;
  const count = value.strings?.length ?? sizeOf(value.dims);
  const more = count > SHOWN ? ', ...' : '';
  return `${type} {${firstElements(value).join(', ')}${more}}`;
}

function firstElements(value: Tensor): string[] {
  if (value.strings) return value.strings.slice(0, SHOWN).map(printBytes);
  const size = sizeOf(value.dims);
  // Packed and complex elements have no numbers of their own; broken tensors are the checker's business.
  if (!dtypes[value.dtype].array || value.bytes.length !== byteLength(value.dtype, size)) {
    return [`${value.bytes.length} bytes`];
  }
  const shown = Math.min(size, SHOWN);
  const bytes = value.bytes.subarray(0, byteLength(value.dtype, shown));
  const list = numbers({ ...value, dims: [shown], bytes });
  return value.dtype === 'float64' ? list.map(String) : list.map(printFloat);
}

/** The shortest text that reads back as the same float32. */
function printFloat(value: number): string {
  if (!Number.isFinite(value) || Object.is(value, -0)) return Object.is(value, -0) ? '-0' : String(value);
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

const printBytes = (bytes: Uint8Array): string => quote(new TextDecoder().decode(bytes.subarray(0, 200)));

const quote = (text: string): string => JSON.stringify(text);
