import { numbers } from '../../onnx/tensor.ts';
import type { RuleContext } from '../rule.ts';
import { normalAxis } from './axis.ts';

/** The elements a Slice takes along one axis: first, first + step, ... (`count` of them). */
export interface SliceRange {
  readonly axis: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** The ranges of a Slice node with constant starts, ends, axes and steps, with the clamping of the specification. */
export function sliceRanges(c: RuleContext): SliceRange[] {
  const dims = c.b.dims(c.x(0));
  const list = (i: number) => (c.hasX(i) ? numbers(c.constant(i)) : undefined);
  const [starts, ends] = [list(1)!, list(2)!];
  const axes = list(3) ?? starts.map((_, i) => i);
  const steps = list(4) ?? starts.map(() => 1);
  return axes.map((given, i) => {
    const axis = normalAxis(given, dims.length);
    const length = dims[axis]!;
    const step = steps[i]!;
    const place = (at: number, low: number, high: number) =>
      Math.min(Math.max(at < 0 ? at + length : at, low), high);
    const first = step > 0 ? place(starts[i]!, 0, length) : place(starts[i]!, 0, length - 1);
    const end = step > 0 ? place(ends[i]!, 0, length) : place(ends[i]!, -1, length - 1);
    return { axis, first, step, count: Math.max(0, Math.ceil((end - first) / step)) };
  });
}
