import type { GraphBuilder } from '../onnx/builder.ts';

/**
 * 2^64. A float32 is a whole number from 2^23 on, which Floor leaves as it is, and to multiply or divide it by a power of
 * two is exact: no value changes from 2^-41 to 2^63 in size, and smaller ones by less than 2^-64.
 */
const SCALE = 2 ** 64;

/** A value without its gradient, made of operators that all kernels and devices have: Floor is a declared stop. */
export const stopGradient = (b: GraphBuilder, value: string): string =>
  b.op('Div', [b.op('Floor', [b.op('Mul', [value, b.constant(SCALE)])]), b.constant(SCALE)]);
