import { GraphBuilder } from '../onnx/builder.ts';
import type { Model } from '../onnx/model.ts';
import { namesIn, renameValues } from '../onnx/passes/graph-edit.ts';
import { prepareTraining } from '../onnx/passes/prepare-training.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Program } from '../program/program.ts';
import type { InversionWeights } from './inversion.ts';
import { statisticsDistance, statisticsNodes } from './statistics-distance.ts';

export interface InversionRequest {
  /** The teacher up to its class scores. */
  readonly teacher: Model;
  readonly input: { readonly name: string; readonly layout: 'NCHW' | 'NHWC' };
  /** Its other inputs. */
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly scores: {
    readonly name: string;
    readonly classes: number;
    readonly kind: 'logits' | 'probabilities';
  };
  /** [B, C, H, W] to begin with. */
  readonly pictures: Tensor;
  /** What the teacher is fed of a picture u: slope u + offset, per channel. */
  readonly slope: readonly number[];
  readonly offset: readonly number[];
  readonly weights: InversionWeights;
  readonly learningRate: number;
}

/** What is trained: the one parameter. */
export const PICTURES = 'pictures';
/** What a step is fed: the classes [B, classes], and how rows [H, H] and columns [W, W] are moved, as permutations. */
export const INVERSION_INPUTS = { labels: 'labels', rows: 'rows', columns: 'columns' } as const;

const OWN = 'teacher/';

/**
 * DeepInversion as a Program (Yin et al., CVPR 2020, arXiv 1912.08795): the parameter is a batch of pictures, the
 * teacher's weights are constants. It minimises cross-entropy with the drawn classes + the distance of the batch's
 * statistics to those that the teacher's batch normalisation keeps + total variation + size. Variation and size are
 * means of squares over pixels, where the authors take norms of the whole batch, so that weights do not depend on the
 * batch. At every step the pictures are shown moved, so that no pixel settles on one place of the teacher's strides.
 */
export function buildInversion(request: InversionRequest): Program {
  const { teacher, input, constants, pictures, scores, weights, learningRate } = request;
  const [batch, channels, height, width] = pictures.dims as [number, number, number, number];
  const shape = input.layout === 'NCHW' ? [batch, channels, height, width] : [batch, height, width, channels];
  const { graph, opsets } = frozen(teacher, input.name, shape, constants);
  const b = new GraphBuilder(opsets);
  const u = b.initializer(PICTURES, pictures);
  const labels = b.input(INVERSION_INPUTS.labels, 'float32', [batch, scores.classes]);
  const rows = b.input(INVERSION_INPUTS.rows, 'float32', [height, height]);
  const columns = b.input(INVERSION_INPUTS.columns, 'float32', [width, width]);
  const moved = b.op('MatMul', [rows, b.op('MatMul', [u, columns])]);
  const perChannel = (values: readonly number[]): string =>
    b.constant(values, 'float32', [1, channels, 1, 1]);
  const scaled = b.op('Add', [b.op('Mul', [moved, perChannel(request.slope)]), perChannel(request.offset)]);
  const fed = input.layout === 'NCHW' ? scaled : b.op('Transpose', [scaled], { perm: [0, 2, 3, 1] });
  b.op('Identity', [fed], {}, { outputs: [OWN + input.name] });
  b.append({ ...graph, inputs: [] });

  const flat = b.op('Reshape', [OWN + scores.name, b.ints([batch, scores.classes])]);
  const logits = scores.kind === 'logits' ? flat : b.op('Log', [b.op('Max', [flat, b.constant(1e-30)])]);
  const likelihood = b.op('Mul', [labels, b.op('LogSoftmax', [logits], { axis: 1 })]);
  const total = b.op('ReduceSum', [likelihood], { keepdims: 0 });
  const terms = {
    labels: b.op('Div', [total, b.constant(-batch)]),
    statistics: statisticsDistance(b, statisticsNodes(graph)),
    variation: variation(b, u, [height, width]),
    size: meanSquare(b, u),
  };
  const names = ['labels', 'statistics', 'variation', 'size'] as const;
  const metrics = names.map((name) => b.op('Identity', [terms[name]], {}, { outputs: [`term:${name}`] }));
  const weighted = names.map((name) => b.op('Mul', [terms[name], b.constant(weights[name])]));
  const sum = weighted.reduce((all, each) => b.op('Add', [all, each]));
  const loss = b.op('Identity', [sum], {}, { outputs: ['loss'] });
  b.output(loss, ...metrics);
  return {
    graph: b.build('inversion'),
    loss,
    metrics,
    parameters: [{ name: PICTURES, owner: 'input', weightDecay: 0 }],
    state: [],
    batch: [labels, rows, columns].map((name) => ({ name, dtype: 'float32', dims: b.dims(name) })),
    noise: [],
    scalars: [],
    optimizer: { name: 'adam', options: { learningRate } },
  };
}

/** The teacher at this batch, under names of its own, its other inputs filled. */
function frozen(
  teacher: Model,
  input: string,
  shape: readonly number[],
  constants: ReadonlyMap<string, Tensor>,
): Pick<Model, 'graph' | 'opsets'> {
  const filled = {
    ...teacher,
    graph: {
      ...teacher.graph,
      inputs: teacher.graph.inputs.filter(({ name }) => !constants.has(name)),
      initializers: new Map([...teacher.graph.initializers, ...constants]),
    },
  };
  const prepared = prepareTraining(filled, { shapes: { [input]: shape } });
  const names = [...namesIn(prepared)].filter((name) => name !== '');
  const renamed = renameValues(prepared.graph, new Map(names.map((name) => [name, OWN + name])));
  return { graph: renamed, opsets: prepared.opsets };
}

function meanSquare(b: GraphBuilder, value: string): string {
  return b.op('ReduceMean', [b.op('Mul', [value, value])], { keepdims: 0 });
}

/** Mean squared difference of neighbours, across and down. */
function variation(b: GraphBuilder, u: string, sides: readonly [number, number]): string {
  const parts = sides.flatMap((side, i) => {
    if (side < 2) return [];
    const from = (start: number): string =>
      b.op('Slice', [u, b.ints([start]), b.ints([side - 1 + start]), b.ints([2 + i])]);
    return [meanSquare(b, b.op('Sub', [from(1), from(0)]))];
  });
  return parts.length > 0 ? parts.reduce((sum, part) => b.op('Add', [sum, part])) : b.constant(0);
}
