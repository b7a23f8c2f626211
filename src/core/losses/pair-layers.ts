import type { LayerEnd } from '../onnx/layer-ends.ts';
import type { FeatureUse } from './features.ts';

export interface LayerPair {
  readonly student: LayerEnd;
  readonly teacher: LayerEnd;
  readonly likeness: number;
}

/**
 * How far two layers may be apart in depth for likeness to decide. Random weights keep much of the input, so that an
 * untrained student looks like the teacher's early layers everywhere: likeness tells neighbours apart, not halves.
 */
const REACH = 0.15;

/**
 * Which layers a loss compares where the spec says `auto`. Of the student: its first or last layer, the one nearest to the
 * middle, or all, as the loss was published. Each gets, of the teacher's layers of like depth (else the nearest one) that the loss
 * can compare it with, the one most alike; several keep their order. A map that would have to be averaged to a vector of the
 * teacher, and lose what is where, is so compared only where no other layer is of like depth, or none can be compared.
 */
export function pairLayers(
  students: readonly LayerEnd[],
  teachers: readonly LayerEnd[],
  use: Pick<FeatureUse, 'align' | 'ranks' | 'auto'>,
  likeness: (student: LayerEnd, teacher: LayerEnd) => number,
): LayerPair[] {
  const fitting = (student: LayerEnd): LayerEnd[] =>
    teachers.filter((teacher) => comparable(student, teacher, use));
  const usable = students.filter((student) => fitting(student).length > 0);
  const pairs: LayerPair[] = [];
  for (const student of chosen(usable, use.auto)) {
    const floor = pairs.at(-1)?.teacher.depth ?? 0;
    const all = fitting(student);
    const ahead = use.auto === 'first' ? all.slice(0, 1) : all.filter(({ depth }) => depth >= floor);
    const open = ahead.length > 0 ? ahead : all.slice(-1);
    const whole = open.filter((teacher) => !isAveraged(student, teacher, use));
    const apart = (teacher: LayerEnd): number => Math.abs(teacher.depth - student.depth);
    const near = [whole, open]
      .map((list) => list.filter((teacher) => apart(teacher) <= REACH))
      .find((list) => list.length > 0);
    const nearest = (list: LayerEnd[]): LayerEnd =>
      list.reduce((best, teacher) => (apart(teacher) < apart(best) ? teacher : best));
    const ranked = (near ?? [nearest(whole.length > 0 ? whole : open)])
      .map((teacher) => ({ student, teacher, likeness: likeness(student, teacher) }))
      .sort((a, b) => b.likeness - a.likeness);
    pairs.push(ranked[0]!);
  }
  return pairs;
}

function chosen(ends: readonly LayerEnd[], auto: FeatureUse['auto']): readonly LayerEnd[] {
  if (auto === 'every') return ends;
  if (auto === 'first') return ends.slice(0, 1);
  if (auto === 'last') return ends.slice(-1);
  const middle = [...ends].sort((a, b) => Math.abs(a.depth - 0.5) - Math.abs(b.depth - 0.5));
  return middle.slice(0, 1);
}

type Use = Pick<FeatureUse, 'align' | 'ranks'>;

/** Whether align-features brings the two together: what names may pair, `auto` may. */
function comparable(student: LayerEnd, teacher: LayerEnd, use: Use): boolean {
  if (isAveraged(student, teacher, use)) return true;
  const { align, ranks } = use;
  if (![student, teacher].every(({ dims }) => ranks.includes(dims.length + 1))) return false;
  if (align === 'none') return true;
  if (align === 'same') return student.dims.join() === teacher.dims.join();
  if (student.dims.length !== teacher.dims.length) return false;
  return student.dims.length !== 2 || student.dims[0] === teacher.dims[0];
}

/** Whether align-features averages a map [C, H, W] of the student over its positions, beside a vector [D]. */
const isAveraged = (student: LayerEnd, teacher: LayerEnd, { align, ranks }: Use): boolean =>
  align === 'shape' && ranks.includes(2) && student.dims.length === 3 && teacher.dims.length === 1;
