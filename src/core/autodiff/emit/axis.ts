import { intAttribute } from '../../onnx/attributes.ts';
import type { RuleContext } from '../rule.ts';

/** A negative axis counts from the end. */
export const normalAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The `axis` attribute of a node as an index into the dimensions of its first input. */
export const axisAttribute = (c: RuleContext, fallback: number): number =>
  normalAxis(intAttribute(c.node, 'axis', fallback), c.b.dims(c.x(0)).length);
