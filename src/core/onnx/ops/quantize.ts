import { intAttribute } from '../attributes.ts';
import { dtypeOfCode } from '../dtype.ts';
import type { Dim } from '../model.ts';
import { axisOf, broadcastInputs, dtypeOf, given, rankedShape, shapeOf } from './context.ts';
import { define, fed, sample, scalar } from './define.ts';
import { isKnown } from './dims.ts';
import type { InferContext, OpSample, ValueType } from './op.ts';

/** Quantisation, and the quantised elementwise operators of onnxruntime. */

function inferQuantize(c: InferContext): ValueType[] {
  const code = intAttribute(c.node, 'output_dtype', 0);
  const dtype = given(c, 2) ? dtypeOf(c, 2) : code === 0 ? 'uint8' : dtypeOfCode(code);
  return [{ dtype, shape: shapeOf(c, 0) }];
}

/** The result has the scale's type. */
const inferDequantize = (c: InferContext): ValueType[] => [{ dtype: dtypeOf(c, 1), shape: shapeOf(c, 0) }];

const inferDynamic = (c: InferContext): ValueType[] => [
  { dtype: 'uint8', shape: shapeOf(c, 0) },
  { dtype: 'float32', shape: [] },
  { dtype: 'uint8', shape: [] },
];

/** a, its scale and zero point, b, its own, then those of the result. */
const inferBinary = (c: InferContext): ValueType[] => [
  { dtype: dtypeOf(c, 0), shape: broadcastInputs(c, [0, 3]) },
];

const inferUnary = (c: InferContext): ValueType[] => [{ dtype: dtypeOf(c, 0), shape: shapeOf(c, 0) }];

/** Over the axes after batch and channel; channels_last turns the layout. */
function inferGlobalPool(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 3);
  const last = intAttribute(c.node, 'channels_last', 0) === 1 ? (x?.length ?? 0) - 1 : 1;
  return [{ dtype: dtypeOf(c, 0), shape: x?.map((dim, i) => (i === 0 || i === last ? dim : 1)) }];
}

/** Scale and zero point of the result, then triples of data, scale and zero point. */
function inferConcat(c: InferContext): ValueType[] {
  const shapes = c.inputs.flatMap((type, i) => (i >= 2 && i % 3 === 2 ? [type?.shape] : []));
  const first = shapes[0];
  const dtype = dtypeOf(c, 2);
  if (!first || !shapes.every((shape) => shape !== undefined)) return [{ dtype, shape: undefined }];
  const axis = axisOf(c, intAttribute(c.node, 'axis', 1), first.length);
  const sum = shapes.reduce<Dim>((total, shape) => {
    const next = shape[axis]!;
    return isKnown(total) && isKnown(next) ? total + next : '';
  }, 0);
  return [{ dtype, shape: first.map((dim, i) => (i === axis ? sum : dim)) }];
}

const domain = 'com.microsoft';

const scale = scalar('float32', 0.1);
const zero = scalar('uint8', 3);
const binarySample = sample([fed('uint8', [2, 3]), scale, zero, fed('uint8', [3]), scale, zero, scale, zero]);
const unarySample = (dims: readonly number[], attributes = {}): OpSample =>
  sample([fed('uint8', dims), scale, zero, scale, zero], attributes);

const samples = {
  DequantizeLinear: [sample([fed('uint8', [2, 3]), scalar('float32', 0.1), scalar('uint8', 3)])],
  DynamicQuantizeLinear: [sample([[2, 3]], {}, { outputs: 3 })],
  QLinearAdd: [binarySample],
  QLinearConcat: [
    sample([scale, zero, fed('uint8', [2, 3]), scale, zero, fed('uint8', [2, 1]), scale, zero], { axis: 1 }),
  ],
  QLinearGlobalAveragePool: [unarySample([1, 2, 3, 4]), unarySample([1, 3, 4, 2], { channels_last: 1 })],
  QLinearLeakyRelu: [unarySample([2, 3])],
  QLinearMul: [binarySample],
  QLinearSigmoid: [unarySample([2, 3])],
  QLinearSoftmax: [unarySample([2, 3], { axis: -1, opset: 13 })],
  QuantizeLinear: [
    sample([[2, 3], scalar('float32', 0.1), scalar('int8', 3)]),
    sample([[2, 3], scalar('float32', 0.1)]),
  ],
};

export const quantize = define(
  [
    { op: 'DequantizeLinear', infer: inferDequantize },
    { op: 'DequantizeLinear', domain, infer: inferDequantize },
    { op: 'DynamicQuantizeLinear', infer: inferDynamic },
    { op: 'QLinearAdd', domain, infer: inferBinary },
    { op: 'QLinearConcat', domain, infer: inferConcat },
    { op: 'QLinearGlobalAveragePool', domain, infer: inferGlobalPool },
    { op: 'QLinearLeakyRelu', domain, infer: inferUnary },
    { op: 'QLinearMul', domain, infer: inferBinary },
    { op: 'QLinearSigmoid', domain, infer: inferUnary },
    { op: 'QLinearSoftmax', domain, infer: inferUnary },
    { op: 'QuantizeLinear', infer: inferQuantize },
    { op: 'QuantizeLinear', domain, infer: inferQuantize },
  ],
  samples,
);
