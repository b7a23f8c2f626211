import { isFloat } from './dtype.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Model, Node } from './model.ts';
import type { ValueType } from './ops/op.ts';
import { producers } from './walk.ts';

/** Where a classifier holds its class scores. */
export interface LogitTap {
  /** The tensor in front of the final Softmax, Sigmoid or ArgMax, or the output itself. */
  readonly tensor: string;
  /** The graph output it was found behind. */
  readonly output: string;
  /** What stands between the scores and the output. */
  readonly post: 'none' | 'softmax' | 'log-softmax' | 'sigmoid' | 'argmax';
  /** Probabilities where the scores themselves are out of reach (a classifier operator that returns only these). */
  readonly scores: 'logits' | 'probabilities';
}

type Found = Omit<LogitTap, 'output'>;

/** Operators that hand scores on without changing which class is best; the input that carries them. */
const carriers: Readonly<Record<string, number>> = {
  Cast: 0,
  Dropout: 0,
  Flatten: 0,
  Identity: 0,
  Reshape: 0,
  Squeeze: 0,
  Transpose: 0,
  Unsqueeze: 0,
  'ai.onnx.ml/ArrayFeatureExtractor': 1,
  'ai.onnx.ml/LabelEncoder': 0,
  'ai.onnx.ml/Normalizer': 0,
  'ai.onnx.ml/ZipMap': 0,
};

const activations: Readonly<Record<string, Found['post']>> = {
  LogSoftmax: 'log-softmax',
  Sigmoid: 'sigmoid',
  Softmax: 'softmax',
};

/**
 * Finds the class scores of a model: in front of a final Softmax, LogSoftmax, Sigmoid, ArgMax or TopK, through reshaping,
 * casts and label look-ups; else a float output of rank 2 or more. Undefined where no tensor holds class scores.
 * `output` restricts the search to one graph output; otherwise one with an activation is preferred.
 */
export function tapLogits(model: Model, output?: string): LogitTap | undefined {
  const made = producers(model.graph);
  const { types } = inferShapes(model);
  const names = model.graph.outputs
    .map((o) => o.name)
    .filter((name) => output === undefined || name === output);
  for (const name of names) {
    const found = search(name, made, types);
    if (found) return { ...found, output: name };
  }
  const plain = names.find((name) => isScores(types.get(name)));
  return plain === undefined ? undefined : { tensor: plain, output: plain, post: 'none', scores: 'logits' };
}

/** A float tensor with a batch and a class axis. */
const isScores = (type: ValueType | undefined): boolean =>
  isFloat(type?.dtype) && (type?.shape === undefined || type.shape.length >= 2);

function search(
  name: string,
  made: ReadonlyMap<string, Node>,
  types: ReadonlyMap<string, ValueType>,
): Found | undefined {
  const node = made.get(name);
  if (!node) return undefined;
  const key = node.domain ? `${node.domain}/${node.op}` : node.op;
  const via = carriers[key];
  if (via !== undefined) return search(node.inputs[via] ?? '', made, types);
  const post = activations[key];
  if (post && isScores(types.get(node.inputs[0]!)))
    return { tensor: node.inputs[0]!, post, scores: 'logits' };
  switch (key) {
    case 'ArgMax':
    case 'TopK': {
      const scores = search(node.inputs[0]!, made, types);
      if (scores) return scores;
      if (!isScores(types.get(node.inputs[0]!))) return undefined;
      return { tensor: node.inputs[0]!, post: 'argmax', scores: 'logits' };
    }
    case 'Where':
      return search(node.inputs[1]!, made, types) ?? search(node.inputs[2]!, made, types);
    case 'ai.onnx.ml/LinearClassifier':
    case 'ai.onnx.ml/SVMClassifier':
    case 'ai.onnx.ml/TreeEnsembleClassifier':
      return classifier(node);
    default:
      return undefined;
  }
}

/** Classifier operators return labels and scores; with no post_transform these are plain. */
function classifier(node: Node): Found | undefined {
  const transform = node.attributes.post_transform;
  const kind = transform?.type === 'string' ? new TextDecoder().decode(transform.value) : 'NONE';
  const tensor = node.outputs[1];
  if (!tensor) return undefined;
  return { tensor, post: 'none', scores: kind === 'NONE' ? 'logits' : 'probabilities' };
}
