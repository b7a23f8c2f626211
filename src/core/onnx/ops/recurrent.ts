import { intAttribute, stringAttribute } from '../attributes.ts';
import type { Dim } from '../model.ts';
import { dtypeOf, misfit, rankedShape } from './context.ts';
import { define, sample } from './define.ts';
import { isKnown, productOf, showShape } from './dims.ts';
import type { InferContext, OpDefinition, ValueType } from './op.ts';

/**
 * x [seq, batch, input], w [directions, gates hidden, input], r [directions, gates hidden, hidden] ->
 * all hidden states [seq, directions, batch, hidden], the last ones [directions, batch, hidden] (LSTM: and cells).
 * layout 1 puts the batch first.
 */

const gates: Readonly<Record<string, number>> = { GRU: 3, LSTM: 4, RNN: 1 };

interface Sizes {
  readonly sequence: Dim;
  readonly batch: Dim;
  readonly input: Dim;
  readonly hidden: Dim;
  readonly directions: number;
  readonly batchFirst: boolean;
}

function sizesOf(c: InferContext): Sizes {
  const x = rankedShape(c, 0, 3, 3);
  const w = rankedShape(c, 1, 3, 3);
  const r = rankedShape(c, 2, 3, 3);
  const batchFirst = intAttribute(c.node, 'layout', 0) === 1;
  const directions = stringAttribute(c.node, 'direction', 'forward') === 'bidirectional' ? 2 : 1;
  if (x && w && isKnown(x[2]) && isKnown(w[2]) && x[2] !== w[2])
    misfit(c, `data ${showShape(x)} do not fit weights ${showShape(w)}`);
  if (w && isKnown(w[0]) && w[0] !== directions)
    misfit(c, `weights ${showShape(w)} for ${directions} direction(s)`);
  return {
    sequence: x?.[batchFirst ? 1 : 0] ?? '',
    batch: x?.[batchFirst ? 0 : 1] ?? '',
    input: x?.[2] ?? '',
    hidden: intAttribute(c.node, 'hidden_size') ?? r?.[2] ?? '',
    directions,
    batchFirst,
  };
}

function infer(c: InferContext): ValueType[] {
  const { sequence, batch, hidden, directions, batchFirst } = sizesOf(c);
  const dtype = dtypeOf(c, 0);
  const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const all = batchFirst ? [batch, sequence, directions, hidden] : [sequence, directions, batch, hidden];
  return [
    { dtype, shape: all },
    { dtype, shape: last },
    { dtype, shape: last },
  ];
}

function macs(c: InferContext): number {
  const { sequence, batch, input, hidden, directions } = sizesOf(c);
  if (!isKnown(input) || !isKnown(hidden)) return 0;
  const product = productOf([sequence, batch, hidden, input + hidden, directions * gates[c.node.op]!]);
  return isKnown(product) ? product : 0;
}

const samples = {
  GRU: [
    sample(
      [
        [5, 2, 3],
        [1, 12, 3],
        [1, 12, 4],
      ],
      { hidden_size: 4 },
      { outputs: 2 },
    ),
  ],
  LSTM: [
    sample(
      [
        [5, 2, 3],
        [1, 16, 3],
        [1, 16, 4],
      ],
      { hidden_size: 4 },
      { outputs: 3 },
    ),
  ],
  RNN: [
    sample(
      [
        [5, 2, 3],
        [2, 4, 3],
        [2, 4, 4],
      ],
      { hidden_size: 4, direction: 'bidirectional' },
      { outputs: 2 },
    ),
  ],
};

export const recurrent = define(
  Object.keys(gates).map((op): OpDefinition => ({ op, infer, macs })),
  samples,
);
