import { float, intAttribute, intsAttribute, tensorAttribute } from '../attributes.ts';
import { dtypeOfCode, isFloat } from '../dtype.ts';
import type { Shape } from '../model.ts';
import { numbers, sizeOf, type Tensor, tensor } from '../tensor.ts';
import { dtypeOf, elementsOf, lengthOf, misfit, settingOf, shapeOf } from './context.ts';
import { define, fed, ints, sample, scalar, stored } from './define.ts';
import { isStatic, productOf } from './dims.ts';
import { elementsType, FOLD_LIMIT, foldedType, pick, shapeValue } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Operators that make values from attributes, shapes or nothing. */

const valued = (value: Tensor): ValueType => ({
  dtype: value.dtype,
  shape: value.dims,
  ...(sizeOf(value.dims) <= FOLD_LIMIT && !value.external ? { constant: value } : {}),
});

/** The tensor a Constant node holds, whichever attribute it uses; undefined for sparse ones. */
export function constantValue(node: InferContext['node']): Tensor | undefined {
  const attribute = (name: string) => node.attributes[name];
  const list = attribute('value_floats') ?? attribute('value_ints') ?? attribute('value_strings');
  const single = attribute('value_float') ?? attribute('value_int') ?? attribute('value_string');
  const whole = tensorAttribute(node, 'value');
  if (whole) return whole;
  if (list?.type === 'floats') return tensor('float32', [list.value.length], list.value);
  if (list?.type === 'ints') return tensor('int64', [list.value.length], list.value);
  if (single?.type === 'float') return tensor('float32', [], [single.value]);
  if (single?.type === 'int') return tensor('int64', [], [single.value]);
  const strings =
    list?.type === 'strings' ? list.value : single?.type === 'string' ? [single.value] : undefined;
  if (!strings) return undefined;
  return { dtype: 'string', dims: list ? [strings.length] : [], bytes: new Uint8Array(0), strings };
}

const inferConstant = (c: InferContext): ValueType[] => {
  const value = constantValue(c.node);
  return [value ? valued(value) : { dtype: undefined, shape: undefined }];
};

/** Shape described by a vector input: its elements as far as known, else only its length. */
export function describedShape(c: InferContext, i: number): Shape | undefined {
  const elements = elementsOf(c.inputs[i]);
  if (elements) return elements;
  const rank = lengthOf(c, i);
  return rank === undefined ? undefined : new Array<string>(rank).fill('');
}

function inferConstantOfShape(c: InferContext): ValueType[] {
  const shape = describedShape(c, 0);
  const value = tensorAttribute(c.node, 'value') ?? tensor('float32', [1], [0]);
  const base: ValueType = { dtype: value.dtype, shape };
  if (!isStatic(shape) || sizeOf(shape) > FOLD_LIMIT) return [base];
  return [{ ...base, constant: pick(value, shape, new Array<number>(sizeOf(shape)).fill(0)) }];
}

/** Shape of the input, since 15 from `start` to `end`. */
function inferShape(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  if (!x) return [{ dtype: 'int64', shape: [''] }];
  return [shapeValue(x.slice(intAttribute(c.node, 'start', 0), intAttribute(c.node, 'end', x.length)))];
}

const inferSize = (c: InferContext): ValueType[] => {
  const x = shapeOf(c, 0);
  return [x ? elementsType('int64', [], [productOf(x)]) : { dtype: 'int64', shape: [] }];
};

function inferRange(c: InferContext): ValueType[] {
  const dtype = dtypeOf(c, 0);
  const [start, limit, delta] = [settingOf(c, 0), settingOf(c, 1), settingOf(c, 2)].map((v) => v?.[0]);
  if (start === undefined || limit === undefined || delta === undefined || !dtype) {
    // Range(0, N, 1) has N elements whatever N is.
    const end = elementsOf(c.inputs[1])?.[0];
    return [{ dtype, shape: [start === 0 && delta === 1 && end !== undefined ? end : ''] }];
  }
  if (delta === 0) misfit(c, 'the step is zero');
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const foldable = c.inputs.every((input) => input?.constant) && !isFloat(dtype) && count <= FOLD_LIMIT;
  if (!foldable) return [{ dtype, shape: [count] }];
  return [
    foldedType(
      dtype,
      [count],
      Array.from({ length: count }, (_, i) => start + i * delta),
    ),
  ];
}

const inferEyeLike = (c: InferContext): ValueType[] => {
  const code = intAttribute(c.node, 'dtype');
  return [{ dtype: code === undefined ? dtypeOf(c, 0) : dtypeOfCode(code), shape: shapeOf(c, 0) }];
};

/** Random values: attribute dtype (default float32, or the input's type for the Like forms). */
function inferRandom(c: InferContext): ValueType[] {
  const code = intAttribute(c.node, 'dtype');
  const like = c.inputs.length > 0;
  const dtype = code === undefined ? (like ? dtypeOf(c, 0) : 'float32') : dtypeOfCode(code);
  return [{ dtype, shape: like ? shapeOf(c, 0) : intsAttribute(c.node, 'shape') }];
}

/** [...indices, depth] with the new axis where `axis` says. */
function inferOneHot(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  if (!x) return [{ dtype: dtypeOf(c, 2), shape: undefined }];
  const axis = intAttribute(c.node, 'axis', -1);
  const at = axis < 0 ? axis + x.length + 1 : axis;
  const depth = settingOf(c, 1)?.[0] ?? '';
  return [{ dtype: dtypeOf(c, 2), shape: [...x.slice(0, at), depth, ...x.slice(at)] }];
}

const inferNonZero = (c: InferContext): ValueType[] => {
  const x = c.inputs[0]?.constant;
  const rank = shapeOf(c, 0)?.length;
  if (x && x.dims.length === 1) {
    const found = numbers(x).flatMap((value, i) => (value === 0 ? [] : [i]));
    return [foldedType('int64', [1, found.length], found)];
  }
  return [{ dtype: 'int64', shape: [rank ?? '', ''] }];
};

const samples = {
  Bernoulli: [sample([[2, 3]])],
  Constant: [
    sample([], { value_ints: [3, 4] }),
    sample([], { value_float: float(0.1) }),
    sample([], { value_int: 7 }),
  ],
  ConstantOfShape: [sample([ints(2, 3)])],
  EyeLike: [sample([[2, 3]])],
  NonZero: [sample([[2, 3]]), sample([ints(0, 3, 1)])],
  OneHot: [
    sample([fed('int64', [2, 3]), scalar('int64', 4), stored('float32', [2], [0, 1])]),
    sample([fed('int64', [2, 3]), scalar('int64', 4), stored('float32', [2], [0, 1])], { axis: 0 }),
  ],
  RandomNormal: [sample([], { shape: [2, 3] })],
  RandomNormalLike: [sample([[2, 3]])],
  RandomUniform: [sample([], { shape: [2, 3], dtype: 11 })],
  RandomUniformLike: [sample([fed('int64', [2, 3])], { dtype: 1 })],
  Range: [
    sample([scalar('int64', 2), scalar('int64', 9), scalar('int64', 3)]),
    sample([scalar('float32', 1), scalar('float32', 0), scalar('float32', -0.3)]),
  ],
  Shape: [sample([[2, 3, 4]]), sample([[2, 3, 4]], { start: 1, end: -1 })],
  Size: [sample([[2, 3, 4]])],
};

export const constant = define(
  [
    { op: 'Bernoulli', infer: inferRandom },
    { op: 'Constant', infer: inferConstant },
    { op: 'ConstantOfShape', infer: inferConstantOfShape },
    { op: 'EyeLike', infer: inferEyeLike },
    { op: 'NonZero', infer: inferNonZero },
    { op: 'OneHot', infer: inferOneHot },
    { op: 'RandomNormal', infer: inferRandom },
    { op: 'RandomNormalLike', infer: inferRandom },
    { op: 'RandomUniform', infer: inferRandom },
    { op: 'RandomUniformLike', infer: inferRandom },
    { op: 'Range', infer: inferRange },
    { op: 'Shape', infer: inferShape },
    { op: 'Size', infer: inferSize },
  ],
  samples,
);
