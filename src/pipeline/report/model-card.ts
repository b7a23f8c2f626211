import { feedInputs, type Model, type Shape, type ValueInfo } from '../../core/onnx/model.ts';
import { modelStats } from '../../core/onnx/stats.ts';

/** What a person should know about a model before it is used. */
export interface ModelCard {
  readonly inputs: readonly CardValue[];
  readonly outputs: readonly CardValue[];
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  /** How often each operator occurs. */
  readonly operators: Readonly<Record<string, number>>;
  readonly parameters: number;
  /** Multiply-accumulates for one row; null where shapes are not known. */
  readonly macs: number | null;
  readonly bytes: number;
  readonly warnings: readonly string[];
}

interface CardValue {
  readonly name: string;
  readonly dtype: string;
  readonly shape: Shape | null;
}

export function modelCard(model: Model, bytes: number, warnings: readonly string[] = []): ModelCard {
  const stats = modelStats(model);
  return {
    inputs: feedInputs(model.graph).map(describe),
    outputs: model.graph.outputs.map(describe),
    irVersion: model.irVersion,
    opsets: model.opsets,
    producer: [model.producer, model.producerVersion].filter(Boolean).join(' '),
    operators: stats.ops,
    parameters: stats.parameters,
    macs: stats.macs > 0 ? stats.macs : null,
    bytes,
    warnings: [
      ...warnings,
      ...(stats.exact
        ? []
        : ['some shapes are not known, so the count of multiply-accumulates is a lower bound']),
    ],
  };
}

const describe = ({ name, dtype, shape }: ValueInfo): CardValue => ({
  name,
  dtype: dtype ?? 'no tensor',
  shape: shape ?? null,
});
