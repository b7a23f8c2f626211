import { convolutions } from './convolutions.ts';
import { elementwise } from './elementwise.ts';
import { linear } from './linear.ts';
import { movers } from './movers.ts';
import { normalizations } from './normalizations.ts';
import type { Operator } from './operator.ts';
import { pools } from './pools.ts';
import { reductions } from './reductions.ts';

/** Every operator the tfjs kernel has, by its ONNX name in the default domain. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [convolutions, elementwise, linear, movers, normalizations, pools, reductions].flatMap((family) =>
    Object.entries(family),
  ),
);
