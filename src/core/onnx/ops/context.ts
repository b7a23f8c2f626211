import { RetortError } from '../../../errors.ts';
import { intsAttribute } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import type { Dim, Node, Shape } from '../model.ts';
import { numbers, type Tensor } from '../tensor.ts';
import { broadcastShapes, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/** What operator definitions say about their inputs, in their own words. */

export const unknownType: ValueType = { dtype: undefined, shape: undefined };

/** How a node is named in messages. */
export const nodeLabel = (node: Node): string =>
  node.name ? `${node.op} "${node.name}"` : `${node.op} (making "${node.outputs[0] ?? ''}")`;

export function misfit(c: InferContext, message: string): never {
  throw new RetortError('ONNX_SHAPE', `${nodeLabel(c.node)}: ${message}`);
}

export const given = (c: InferContext, i: number): boolean => c.inputs[i] !== undefined;
export const shapeOf = (c: InferContext, i: number): Shape | undefined => c.inputs[i]?.shape;
export const dtypeOf = (c: InferContext, i: number): DType | undefined => c.inputs[i]?.dtype;

/** Shape of an input whose rank, where known, must lie in [least, most]. */
export function rankedShape(
  c: InferContext,
  i: number,
  least: number,
  most = Number.POSITIVE_INFINITY,
): Shape | undefined {
  const shape = shapeOf(c, i);
  if (shape && (shape.length < least || shape.length > most)) {
    misfit(
      c,
      `input ${i} must have rank ${least}${most === least ? '' : ' or more'}, but is ${showShape(shape)}`,
    );
  }
  return shape;
}

/** A possibly negative axis made positive. */
export function axisOf(c: InferContext, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) misfit(c, `axis ${axis} is outside rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** The element type that all these inputs share. */
export function sharedDtype(c: InferContext, indices: readonly number[]): DType | undefined {
  let found: DType | undefined;
  for (const i of indices) {
    const dtype = dtypeOf(c, i);
    if (dtype === undefined) continue;
    if (found !== undefined && found !== dtype) misfit(c, `inputs mix element types ${found} and ${dtype}`);
    found = dtype;
  }
  return found;
}

/** Broadcast shape of these inputs. */
export function broadcastInputs(c: InferContext, indices: readonly number[]): Shape | undefined {
  const shapes = indices.map((i) => shapeOf(c, i));
  if (!shapes.every((shape) => shape !== undefined)) return undefined;
  const out = broadcastShapes(shapes);
  return out ?? misfit(c, `${shapes.map(showShape).join(' and ')} do not broadcast`);
}

export const constantOf = (c: InferContext, i: number): Tensor | undefined => c.inputs[i]?.constant;

/** A constant integer input, in full. */
export function integersOf(c: InferContext, i: number): number[] | undefined {
  const value = constantOf(c, i);
  return value && numbers(value);
}

/** Elements of a small integer value, as far as known. */
export function elementsOf(type: ValueType | undefined): readonly Dim[] | undefined {
  if (type?.elements) return type.elements;
  if (!type?.constant || type.constant.dims.length > 1 || !/^u?int/.test(type.constant.dtype))
    return undefined;
  return numbers(type.constant);
}

/** A setting: a constant, or the value of a small initializer (which an operator may read, but nobody folds). */
export function settingOf(c: InferContext, i: number): number[] | undefined {
  const value = c.inputs[i]?.constant ?? c.inputs[i]?.setting;
  return value && numbers(value);
}

/** Axes given as an input (newer operator sets) or as an attribute. 'unknown': given, but not constant. */
export function axesOf(c: InferContext, input: number): number[] | undefined | 'unknown' {
  if (given(c, input)) return integersOf(c, input) ?? 'unknown';
  return intsAttribute(c.node, 'axes');
}

/** Number of dimensions a 1-D input describes (shape vectors), where known. */
export function lengthOf(c: InferContext, i: number): number | undefined {
  const shape = shapeOf(c, i);
  return shape?.length === 1 && typeof shape[0] === 'number' ? shape[0] : undefined;
}

/** The type of input i without its value. */
export function plainType(c: InferContext, i: number): ValueType {
  return { dtype: dtypeOf(c, i), shape: shapeOf(c, i) };
}
