import { classLosses } from './class-losses.ts';
import { convolutions } from './convolutions.ts';
import { einsums } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { functions } from './functions.ts';
import { indexing } from './indexing.ts';
import { linear } from './linear.ts';
import { makers } from './makers.ts';
import { movers } from './movers.ts';
import { normalizations } from './normalizations.ts';
import type { Operator } from './operator.ts';
import { otherNormalizations } from './other-normalizations.ts';
import { pools } from './pools.ts';
import { recurrent } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { resizing } from './resize.ts';

/** Every operator the tfjs kernel has, by its ONNX name in the default domain. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    classLosses,
    convolutions,
    einsums,
    elementwise,
    functions,
    indexing,
    linear,
    makers,
    movers,
    normalizations,
    otherNormalizations,
    pools,
    recurrent,
    reductions,
    resizing,
  ].flatMap((family) => Object.entries(family)),
);
