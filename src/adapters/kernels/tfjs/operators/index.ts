import { convolutions } from './convolutions.ts';
import { elementwise } from './elementwise.ts';
import { linear } from './linear.ts';
import { movers } from './movers.ts';
import { normalizations } from './normalizations.ts';
import type { Operator } from './operator.ts';
import { pools } from './pools.ts';
import { recurrent } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { resizing } from './resize.ts';

/** Every operator the tfjs kernel has, by its ONNX name in the default domain. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [convolutions, elementwise, linear, movers, normalizations, pools, recurrent, reductions, resizing].flatMap(
    (family) => Object.entries(family),
  ),
);
