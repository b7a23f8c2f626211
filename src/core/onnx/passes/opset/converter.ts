import { RetortError } from '../../../../errors.ts';
import { type DType, dtypes } from '../../dtype.ts';
import type { Attribute, Node } from '../../model.ts';
import { nodeLabel } from '../../ops/context.ts';
import { sizeOf } from '../../tensor.ts';
import type { Rewriter } from '../rewriter.ts';

/**
 * Rewrites one operator from the model's opset (`r.opset`) to opset 18. Emits nodes and returns true, or returns false where
 * the node is right as it is. A converter must leave its own results alone when it meets them at opset 18.
 */
export type Converter = (node: Node, r: Rewriter) => boolean;

export function unsupported(node: Node, r: Rewriter, why: string): never {
  throw new RetortError('ONNX_UNSUPPORTED', `${nodeLabel(node)} of opset ${r.opset}: ${why}`);
}

/** Attributes without some. */
export function without(node: Node, ...names: readonly string[]): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(node.attributes).filter(([key]) => !names.includes(key)));
}

/** Inputs with position i set, gaps filled by '' (left out). */
export function withInput(node: Node, i: number, name: string): string[] {
  const inputs = [...node.inputs];
  while (inputs.length < i) inputs.push('');
  inputs[i] = name;
  return inputs;
}

/** The shape of a value with a rank that must be known. */
export function rankOf(node: Node, r: Rewriter, i = 0): number {
  const rank = r.type(node.inputs[i]!).shape?.length;
  return rank ?? unsupported(node, r, `the rank of input ${i} must be known to convert it`);
}

/** Element type of a value that must be known. */
export function dtypeOf(node: Node, r: Rewriter, i = 0) {
  return (
    r.type(node.inputs[i]!).dtype ?? unsupported(node, r, `the element type of input ${i} must be known`)
  );
}

/**
 * Small whole numbers as floats that are no parameters. Training takes every float32 array that is stored for one, so
 * these are stored in float16, which holds them exactly up to 2,048, and cast.
 */
export function wholeNumbers(
  r: Rewriter,
  dtype: DType,
  dims: readonly number[],
  at: (i: number) => number,
): string {
  const stored = r.constant(
    'float16',
    dims,
    Array.from({ length: sizeOf(dims) }, (_, i) => at(i)),
  );
  return r.op('Cast', [stored], { to: dtypes[dtype].code });
}
