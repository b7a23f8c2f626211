import type { AttributeInput } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import type { OpDefinition, OpSample, SampleTensor, SampleValue } from './op.ts';

/** Definitions together with their evidence: samples by operator name. */
export function define(
  definitions: readonly OpDefinition[],
  samples: Readonly<Record<string, readonly OpSample[]>>,
): readonly OpDefinition[] {
  return definitions.map((definition) => {
    const own = samples[definition.op];
    return own ? { ...definition, samples: own } : definition;
  });
}

export const sample = (
  inputs: readonly SampleValue[],
  attributes: Readonly<Record<string, AttributeInput>> = {},
  more: { readonly outputs?: number; readonly opset?: number } = {},
): OpSample => ({ inputs, attributes, ...more });

/** A stored 1-D int64 tensor. */
export const ints = (...values: readonly number[]): SampleTensor => ({
  dtype: 'int64',
  dims: [values.length],
  values,
});

export const scalar = (dtype: DType, value: number): SampleTensor => ({ dtype, dims: [], values: [value] });

export const stored = (dtype: DType, dims: readonly number[], values: readonly number[]): SampleTensor => ({
  dtype,
  dims,
  values,
});

/** A graph input of this type. */
export const fed = (dtype: DType, dims: readonly number[]): SampleTensor => ({ dtype, dims });
