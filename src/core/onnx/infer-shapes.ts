import { RetortError } from '../../errors.ts';
import { inferGraph, initializerType } from './infer-graph.ts';
import type { Graph, Model, Shape } from './model.ts';
import { unify } from './ops/dims.ts';
import type { ValueType } from './ops/op.ts';

export interface InferredShapes {
  /** Types of all values, those of bodies (If, Loop, Scan) included. */
  readonly types: ReadonlyMap<string, ValueType>;
  /** Values whose element type or shape is not fully known (symbols count as known). */
  readonly unknown: readonly string[];
}

export interface InferOptions {
  /** Shapes of graph inputs that take the place of the declared ones (a fixed batch, a wanted resolution). */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** Whether declared output shapes may fill what inference leaves open. Default: yes, unless `shapes` are given. */
  readonly declared?: boolean;
  /**
   * Float initializers that are certainly no parameters and may be folded like integers. Default none: only Constant
   * nodes and integer initializers fold.
   */
  readonly foldable?: (name: string) => boolean;
}

/** Infers the types of a whole model, sub-graphs included. ONNX_SHAPE, naming the node, where it contradicts itself. */
export function inferShapes(model: Model, options: InferOptions = {}): InferredShapes {
  const types = new Map<string, ValueType>();
  const onType = (name: string, type: ValueType): void => {
    const known = types.get(name);
    types.set(name, known ? { dtype: known.dtype, shape: sameShape(known.shape, type.shape) } : type);
  };
  inferGraph(model.graph, inputTypes(model.graph, options), { opsets: model.opsets, onType });
  const declared = options.declared ?? options.shapes === undefined;
  if (declared) for (const output of model.graph.outputs) declare(types, output.name, output.shape);
  const open = (type: ValueType): boolean =>
    !type.sequence && (!type.dtype || !type.shape || type.shape.includes(''));
  return { types, unknown: [...types].filter(([, type]) => open(type)).map(([name]) => name) };
}

/** Names may repeat in branches; what they do not share is unknown. */
const sameShape = (a: Shape | undefined, b: Shape | undefined): Shape | undefined =>
  JSON.stringify(a) === JSON.stringify(b) ? a : undefined;

function inputTypes(graph: Graph, options: InferOptions): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const input of graph.inputs) {
    const shape = options.shapes?.[input.name] ?? input.shape;
    types.set(input.name, { dtype: input.dtype, shape: shape?.map((dim) => (dim === -1 ? '' : dim)) });
  }
  for (const [name, value] of graph.initializers) {
    const type = initializerType(value);
    const folds = type.setting && options.foldable?.(name);
    types.set(name, folds ? { dtype: type.dtype, shape: type.shape, constant: type.setting } : type);
  }
  return types;
}

/** A graph output whose inferred type is open takes what the file declares. */
function declare(types: Map<string, ValueType>, name: string, declared: Shape | undefined): void {
  const type = types.get(name);
  if (!type || !declared) return;
  if (!type.shape) types.set(name, { ...type, shape: declared });
  else if (type.shape.length === declared.length) {
    const shape = type.shape.map((dim, i) => unify(dim, declared[i]!));
    // Producers often declare wrong output shapes; what was inferred is what will come.
    if (shape.every((dim) => dim !== undefined)) types.set(name, { ...type, shape: shape as Shape });
  }
}

/** The type of a value; INTERNAL if the graph holds no such value. */
export function typeOf(found: InferredShapes, name: string): ValueType {
  const type = found.types.get(name);
  if (!type) throw new RetortError('INTERNAL', `no value named "${name}" in this model`);
  return type;
}
