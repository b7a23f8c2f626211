import { RetortError } from '../../errors.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import { feedInputs, type Graph, type Model, type Shape } from '../onnx/model.ts';
import { prepareTraining } from '../onnx/passes/prepare-training.ts';
import { withBatchStatistics } from './batch-statistics.ts';
import type { Program, ProgramInput } from './program.ts';

export interface GradientProgramRequest {
  /** Any model with float outputs. */
  readonly model: Model;
  /** Static shapes of the fed inputs, by name. */
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Initializers to differentiate by. */
  readonly parameters: readonly string[];
  /** Let BatchNormalization take its statistics from the batch. */
  readonly training: boolean;
}

export const cotangentOf = (output: string): string => `cotangent:${output}`;
export const sumOf = (output: string): string => `sum:${output}`;
export const normOf = (output: string): string => `norm:${output}`;

/**
 * A Program whose loss is the sum over all outputs of <output, cotangent>, so that its gradients are the model's
 * vector-Jacobian product. Cotangents are batch inputs; sum and L2 norm of every output are metrics.
 */
export function gradientProgram(request: GradientProgramRequest): Program {
  const wanted = new Set(request.parameters);
  const prepared = prepareTraining(request.model, {
    shapes: request.shapes,
    foldable: (name) => !wanted.has(name),
  });
  const { graph: body } = request.training ? withBatchStatistics(prepared) : prepared;
  const b = GraphBuilder.from(body);
  const cotangents = body.outputs.map(({ name }): ProgramInput => {
    const dims = b.dims(name);
    return { name: b.input(cotangentOf(name), 'float32', dims), dtype: 'float32', dims };
  });
  const total = (value: string) => b.op('ReduceSum', [value], { keepdims: 0 });
  const terms = body.outputs.map(({ name }) => total(b.op('Mul', [name, cotangentOf(name)])));
  const sum = terms.reduce((left, right) => b.op('Add', [left, right]));
  const loss = b.op('Identity', [sum], {}, { outputs: [b.fresh('loss')] });
  const metrics = body.outputs.flatMap(({ name }) => [
    b.op('Identity', [total(name)], {}, { outputs: [sumOf(name)] }),
    b.op('Sqrt', [total(b.op('Mul', [name, name]))], {}, { outputs: [normOf(name)] }),
  ]);
  b.output(loss, ...metrics);
  return {
    graph: b.build(body.name),
    loss,
    metrics,
    parameters: parametersOf(body, request.parameters),
    state: [],
    batch: [...feedsOf(b, body), ...cotangents],
    noise: [],
    scalars: [],
    optimizer: { name: 'sgd', options: {} },
  };
}

function parametersOf(graph: Graph, names: readonly string[]) {
  const missing = names.filter((name) => !graph.initializers.has(name));
  if (missing.length > 0) {
    throw new RetortError('GRAD_FORBIDDEN', `no initializer is called ${missing.join(', ')}`, {
      hint: 'Only initializers that the outputs depend on can be differentiated by.',
    });
  }
  return names.map((name) => ({ name, owner: 'student' as const }));
}

const feedsOf = (b: GraphBuilder, graph: Graph): ProgramInput[] =>
  feedInputs(graph).map(({ name }) => ({ name, dtype: b.dtype(name), dims: b.dims(name) }));
