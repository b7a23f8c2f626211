import { arrange } from './arrange.ts';
import { attention } from './attention.ts';
import { binary } from './binary.ts';
import { cast } from './cast.ts';
import { classLoss } from './class-loss.ts';
import { classic } from './classic.ts';
import { columns } from './columns.ts';
import { concat } from './concat.ts';
import { constant } from './constant.ts';
import { control } from './control.ts';
import { conv } from './conv.ts';
import { einsum } from './einsum.ts';
import { expand } from './expand.ts';
import { gather } from './gather.ts';
import { identity } from './identity.ts';
import { matMul } from './mat-mul.ts';
import { normalization } from './normalization.ts';
import type { OpDefinition } from './op.ts';
import { pool } from './pool.ts';
import { quantize } from './quantize.ts';
import { recurrent } from './recurrent.ts';
import { reduce } from './reduce.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { select } from './select.ts';
import { sequence } from './sequence.ts';
import { slice } from './slice.ts';
import { unary } from './unary.ts';

const definitions: readonly OpDefinition[] = [
  ...arrange,
  ...attention,
  ...binary,
  ...cast,
  ...classLoss,
  ...classic,
  ...columns,
  ...concat,
  ...constant,
  ...control,
  ...conv,
  ...einsum,
  ...expand,
  ...gather,
  ...identity,
  ...matMul,
  ...normalization,
  ...pool,
  ...quantize,
  ...recurrent,
  ...reduce,
  ...reshape,
  ...resize,
  ...select,
  ...sequence,
  ...slice,
  ...unary,
];

/** Operator definitions by `domain/op` (the default domain as `/op`). */
export const ops: ReadonlyMap<string, OpDefinition> = new Map(
  definitions.map((definition) => [`${definition.domain ?? ''}/${definition.op}`, definition]),
);
