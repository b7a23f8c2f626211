import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../../attributes.ts';
import { type Converter, dtypeOf, unsupported, withInput, without } from './converter.ts';
import { wrapPad } from './wrap-pad.ts';

/** Operators whose settings moved from attributes to inputs, or changed their defaults. */

/** Squeeze, Unsqueeze, ReduceSum since 13, the other reductions since 18: `axes` became input 1. */
export const axesToInput: Converter = (node, r) => {
  const axes = intsAttribute(node, 'axes');
  if (!axes) return false;
  r.emit({ ...node, inputs: withInput(node, 1, r.ints(axes)), attributes: without(node, 'axes') });
  return true;
};

/** Since 13 `split` is input 1; since 18 equal parts need `num_outputs`. */
export const split: Converter = (node, r) => {
  if (r.opset >= 18) return false;
  const sizes = intsAttribute(node, 'split');
  if (!sizes && node.inputs[1]) return false;
  const attributes = without(node, 'split');
  if (sizes) r.emit({ ...node, inputs: [node.inputs[0]!, r.ints(sizes)], attributes });
  else {
    const count = { type: 'int', value: BigInt(node.outputs.length) } as const;
    r.emit({ ...node, inputs: [node.inputs[0]!], attributes: { ...attributes, num_outputs: count } });
  }
  return true;
};

/** Since 11 `min` and `max` are inputs. */
export const clip: Converter = (node, r) => {
  if (r.opset >= 11) return false;
  const dtype = dtypeOf(node, r);
  const bound = (name: string): string =>
    node.attributes[name] ? r.scalar(dtype, floatAttribute(node, name, 0)) : '';
  const inputs = [node.inputs[0]!, bound('min'), bound('max')];
  while (inputs.at(-1) === '') inputs.pop();
  r.emit({ ...node, inputs, attributes: without(node, 'min', 'max') });
  return true;
};

/** Since 11 pads and value are inputs; `wrap` (19, though some write it at 18) does not exist at 18. */
export const pad: Converter = (node, r) => {
  if (stringAttribute(node, 'mode', 'constant') === 'wrap') return wrapPad(node, r);
  if (r.opset >= 11) return false;
  const pads = intsAttribute(node, 'pads') ?? unsupported(node, r, 'attribute pads is missing');
  const inputs = [node.inputs[0]!, r.ints(pads)];
  const value = floatAttribute(node, 'value', 0);
  if (value !== 0) inputs.push(r.scalar(dtypeOf(node, r), value));
  r.emit({ ...node, inputs, attributes: without(node, 'pads', 'value') });
  return true;
};

/** Since 10 starts, ends and axes are inputs. */
export const slice: Converter = (node, r) => {
  if (r.opset >= 10) return false;
  const list = (name: string): string => {
    const values = intsAttribute(node, name) ?? unsupported(node, r, `attribute ${name} is missing`);
    return r.ints(values);
  };
  const inputs = [node.inputs[0]!, list('starts'), list('ends')];
  if (node.attributes.axes) inputs.push(list('axes'));
  r.emit({ ...node, inputs, attributes: {} });
  return true;
};

/** Since 10 k is input 1. */
export const topK: Converter = (node, r) => {
  if (r.opset >= 10) return false;
  const k = intAttribute(node, 'k') ?? unsupported(node, r, 'attribute k is missing');
  r.emit({ ...node, inputs: [node.inputs[0]!, r.ints([k])], attributes: without(node, 'k') });
  return true;
};

/** Since 12 the ratio is an input, and training is asked for by input 2; before, the graph was always at inference. */
export const dropout: Converter = (node, r) => {
  if (r.opset >= 12) return false;
  if (r.opset < 10 && node.outputs[1]) unsupported(node, r, 'its mask has the type of the data');
  const ratio = r.scalar('float32', floatAttribute(node, 'ratio', 0.5));
  r.emit({ ...node, inputs: [node.inputs[0]!, ratio], attributes: without(node, 'ratio') });
  return true;
};

/** Upsample and Resize 10 sample asymmetrically, rounding down; Resize 11 allows empty tensors for inputs left out. */
export const resize: Converter = (node, r) => {
  if (node.op === 'Resize' && r.opset >= 11) {
    const symmetric = stringAttribute(node, 'coordinate_transformation_mode', '') === 'half_pixel_symmetric';
    if (symmetric && r.opset > 18) unsupported(node, r, 'half_pixel_symmetric does not exist at opset 18');
    if (stringAttribute(node, 'coordinate_transformation_mode', '') === 'tf_half_pixel_for_nn')
      unsupported(node, r, 'tf_half_pixel_for_nn does not exist at opset 18');
    const inputs = node.inputs.map((name) => (r.type(name).shape?.[0] === 0 ? '' : name));
    while (inputs.at(-1) === '') inputs.pop();
    if (inputs.every((name, i) => name === node.inputs[i]) && inputs.length === node.inputs.length)
      return false;
    r.emit({ ...node, inputs });
    return true;
  }
  const attribute = node.attributes.scales;
  const scales =
    attribute?.type === 'floats'
      ? r.constant('float32', [attribute.value.length], attribute.value)
      : node.inputs[1];
  if (!scales) unsupported(node, r, 'scales are missing');
  const mode = stringAttribute(node, 'mode', 'nearest');
  r.op(
    'Resize',
    [node.inputs[0]!, '', scales],
    {
      mode: mode === 'bilinear' ? 'linear' : mode,
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    },
    node.outputs,
  );
  return true;
};

/** Scatter was renamed ScatterElements at 11. */
export const scatter: Converter = (node, r) => {
  r.emit({ ...node, op: 'ScatterElements' });
  return true;
};

/** Before 13 the softmax family worked on the input flattened to 2-D at `axis` (default 1). */
export const softmax: Converter = (node, r) => {
  if (r.opset >= 13) return false;
  const shape = r.type(node.inputs[0]!).shape ?? unsupported(node, r, 'its rank must be known');
  const axis = intAttribute(node, 'axis', 1);
  const at = axis < 0 ? axis + shape.length : axis;
  const onlyAxis = shape.findLastIndex((dim, i) => i >= at && dim !== 1);
  // One axis at most is longer than 1 from `axis` on: the flattening changes nothing.
  if (shape.every((dim, i) => i < at || i === onlyAxis || dim === 1)) {
    r.emit({ ...node, attributes: { axis: { type: 'int', value: BigInt(Math.max(onlyAxis, at)) } } });
    return true;
  }
  const flat = r.op('Flatten', [node.inputs[0]!], { axis: at });
  const soft = r.op(node.op, [flat], { axis: -1 });
  r.op('Reshape', [soft, r.op('Shape', [node.inputs[0]!])], {}, node.outputs);
  return true;
};
