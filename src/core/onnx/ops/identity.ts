import { plainType, shapeOf } from './context.ts';
import { define, ints, sample } from './define.ts';
import type { InferContext, ValueType } from './op.ts';

/** Operators whose output is their input (at inference). */

const inferIdentity = (c: InferContext): ValueType[] => [c.inputs[0] ?? plainType(c, 0)];

/** The mask is bool since 10 and has the data's type before. */
const inferDropout = (c: InferContext): ValueType[] => [
  plainType(c, 0),
  { dtype: c.opset >= 10 ? 'bool' : c.inputs[0]?.dtype, shape: shapeOf(c, 0) },
];

const samples = {
  Dropout: [sample([[2, 3]], {}, { outputs: 2 })],
  Identity: [sample([[2, 3]]), sample([ints(4, 5)])],
};

export const identity = define(
  [
    { op: 'Dropout', infer: inferDropout },
    { op: 'Identity', infer: inferIdentity },
  ],
  samples,
);
