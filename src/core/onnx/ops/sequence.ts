import { intAttribute } from '../attributes.ts';
import type { Dim } from '../model.ts';
import { axisOf, dtypeOf, integersOf, shapeOf, unknownType } from './context.ts';
import { isKnown } from './dims.ts';
import { foldedType } from './fold.ts';
import type { InferContext, OpDefinition, ValueType } from './op.ts';

/** Sequences of tensors of known length: their element types travel along. */

const sequenceOf = (elements: readonly ValueType[]): ValueType => ({
  ...unknownType,
  sequence: elements.map(({ dtype, shape }) => ({ dtype, shape })),
});

/** Sizes of the parts along the axis: a vector lists them, a scalar is the size of each, none means 1 each. */
function partSizes(total: Dim, split: ValueType | undefined, values?: number[]): Dim[] | undefined {
  if (split && !values) return undefined;
  if (values && split?.shape?.length === 1) return values;
  if (!isKnown(total)) return undefined;
  const each = values?.[0] ?? 1;
  return Array.from({ length: Math.ceil(total / each) }, (_, i) => Math.min(each, total - i * each));
}

function inferSplit(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  if (!x) return [unknownType];
  const axis = axisOf(c, intAttribute(c.node, 'axis', 0), x.length);
  const sizes = partSizes(x[axis]!, c.inputs[1], integersOf(c, 1));
  if (!sizes) return [unknownType];
  const dtype = dtypeOf(c, 0);
  const drop = !c.inputs[1] && intAttribute(c.node, 'keepdims', 1) === 0;
  const part = (size: Dim): ValueType => ({
    dtype,
    shape: drop ? x.filter((_, i) => i !== axis) : x.map((dim, i) => (i === axis ? size : dim)),
  });
  return [sequenceOf(sizes.map(part))];
}

function inferAt(c: InferContext): ValueType[] {
  const at = integersOf(c, 1)?.[0];
  const elements = c.inputs[0]?.sequence;
  return [(at === undefined ? undefined : elements?.at(at)) ?? unknownType];
}

function inferConcat(c: InferContext): ValueType[] {
  const elements = c.inputs[0]?.sequence;
  const shapes = elements?.map((e) => e.shape);
  const first = shapes?.[0];
  const dtype = elements?.[0]?.dtype;
  if (!first || !shapes.every((shape) => shape?.length === first.length))
    return [{ dtype, shape: undefined }];
  if (intAttribute(c.node, 'new_axis', 0) === 1) {
    const axis = axisOf(c, intAttribute(c.node, 'axis', 0), first.length + 1);
    return [{ dtype, shape: [...first.slice(0, axis), shapes.length, ...first.slice(axis)] }];
  }
  const axis = axisOf(c, intAttribute(c.node, 'axis', 0), first.length);
  const sizes = shapes.map((shape) => shape![axis]!);
  const sum = sizes.every(isKnown) ? sizes.reduce((a, b) => a + b, 0) : '';
  return [{ dtype, shape: first.map((dim, i) => (i === axis ? sum : dim)) }];
}

const inferLength = (c: InferContext): ValueType[] => {
  const elements = c.inputs[0]?.sequence;
  return [elements ? foldedType('int64', [], [elements.length]) : { dtype: 'int64', shape: [] }];
};

export const sequence: readonly OpDefinition[] = [
  { op: 'ConcatFromSequence', infer: inferConcat },
  { op: 'SequenceAt', infer: inferAt },
  { op: 'SequenceConstruct', infer: (c) => [sequenceOf(c.inputs.map((type) => type ?? unknownType))] },
  { op: 'SequenceLength', infer: inferLength },
  { op: 'SplitToSequence', infer: inferSplit },
];
