import type { GraphBuilder } from '../../onnx/builder.ts';
import { arithmetic } from './arithmetic.ts';

/** z = (x - mean) inv with inv = 1 / sqrt(variance + epsilon), statistics over `axes`, kept as 1. */
export interface Normalized {
  readonly z: string;
  readonly inv: string;
}

/** Computes z again from x; `saved` statistics of the forward pass spare the reductions. */
export function normalize(
  b: GraphBuilder,
  x: string,
  axes: readonly number[],
  epsilon: number,
  saved: { readonly mean?: string; readonly inv?: string } = {},
): Normalized {
  const m = arithmetic(b, b.dtype(x));
  const mean = saved.mean ?? b.op('ReduceMean', [x, b.ints(axes)], { keepdims: 1 });
  const centred = m.sub(x, mean);
  const variance = () => b.op('ReduceMean', [m.mul(centred, centred), b.ints(axes)], { keepdims: 1 });
  const inv = saved.inv ?? m.reciprocal(m.sqrt(m.add(variance(), epsilon)));
  return { z: m.mul(centred, inv), inv };
}

/** dx = inv (dz - mean(dz) - z mean(dz z)), means over `axes`: the pull-back through z = (x - mean) inv. */
export function normalizeGradient(
  b: GraphBuilder,
  dz: string,
  { z, inv }: Normalized,
  axes: readonly number[],
): string {
  const m = arithmetic(b, b.dtype(dz));
  const mean = (value: string) => b.op('ReduceMean', [value, b.ints(axes)], { keepdims: 1 });
  return m.mul(inv, m.sub(m.sub(dz, mean(dz)), m.mul(z, mean(m.mul(dz, z)))));
}
