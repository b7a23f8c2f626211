import type { GraphBuilder } from '../onnx/builder.ts';

/**
 * Shared by losses on softened logits: z / T, or Z(z) / T with logit standardisation
 * Z(z) = (z - mean(z)) / (std(z) + 1e-7) over classes, unbiased std (Sun et al., "Logit Standardization in Knowledge
 * Distillation", CVPR 2024, arXiv 2403.01427). Z ignores any shift and scale of the logits.
 * With two classes Z keeps nothing but the argmax, so the spec refuses it there.
 */
const STANDARDIZATION_EPSILON = 1e-7;

/** [B, C] logits to [B, C] logits divided by the temperature, standardised first where asked. */
export function softened(b: GraphBuilder, logits: string, temperature: string, standardize: boolean): string {
  return b.op('Div', [standardize ? standardized(b, logits) : logits, temperature]);
}

function standardized(b: GraphBuilder, logits: string): string {
  const [, classes] = b.dims(logits) as [number, number];
  const axis = b.ints([1]);
  const centred = b.op('Sub', [logits, b.op('ReduceMean', [logits, axis])]);
  const squares = b.op('ReduceSum', [b.op('Mul', [centred, centred]), axis]);
  // Inside the root 1e-30 keeps the gradient finite for a row of equal logits; it is far below any real variance.
  const variance = b.op('Add', [b.op('Div', [squares, b.constant(classes - 1)]), b.constant(1e-30)]);
  const deviation = b.op('Add', [b.op('Sqrt', [variance]), b.constant(STANDARDIZATION_EPSILON)]);
  return b.op('Div', [centred, deviation]);
}

/** Plain-number twin of `softened` for one row. */
export function softenedRow(row: readonly number[], temperature: number, standardize: boolean): number[] {
  if (!standardize) return row.map((z) => z / temperature);
  const mean = row.reduce((sum, z) => sum + z, 0) / row.length;
  const variance = row.reduce((sum, z) => sum + (z - mean) ** 2, 0) / (row.length - 1);
  return row.map((z) => (z - mean) / (Math.sqrt(variance) + STANDARDIZATION_EPSILON) / temperature);
}

/** log softmax of one row, in double precision, by the shifted sum. */
export function logSoftmaxRow(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const total = Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0)) + top;
  return row.map((z) => z - total);
}

/** Sum of all elements of a [B, C] value divided by B: the mean over the batch of sums over classes. */
export function batchMean(b: GraphBuilder, perElement: string): string {
  const [batch] = b.dims(perElement) as [number];
  return b.op('Div', [b.op('ReduceSum', [perElement], { keepdims: 0 }), b.constant(batch)]);
}
