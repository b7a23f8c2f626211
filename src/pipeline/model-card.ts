import { isFloat } from '../core/onnx/dtype.ts';
import { feedInputs, type Model, type Shape } from '../core/onnx/model.ts';
import { sizeOf } from '../core/onnx/tensor.ts';

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
  const { graph } = model;
  const operators: Record<string, number> = {};
  for (const { domain, op } of graph.nodes) {
    const name = domain === '' ? op : `${domain}.${op}`;
    operators[name] = (operators[name] ?? 0) + 1;
  }
  const describe = ({ name, dtype, shape }: { name: string; dtype: unknown; shape: Shape | undefined }) => ({
    name,
    dtype: typeof dtype === 'string' ? dtype : 'no tensor',
    shape: shape ?? null,
  });
  return {
    inputs: feedInputs(graph).map(describe),
    outputs: graph.outputs.map(describe),
    irVersion: model.irVersion,
    opsets: model.opsets,
    producer: [model.producer, model.producerVersion].filter(Boolean).join(' '),
    operators,
    parameters: [...graph.initializers.values()]
      .filter((value) => isFloat(value.dtype) || value.dtype === 'int8' || value.dtype === 'uint8')
      .reduce((sum, value) => sum + sizeOf(value.dims), 0),
    macs: null,
    bytes,
    warnings,
  };
}
