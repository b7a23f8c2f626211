import { RetortError } from '../../errors.ts';
import type { FeaturePair, FeatureUse, ObjectiveParts } from '../losses/features.ts';
import { linearMap } from '../losses/linear-map.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { asWritten } from '../students/own-names.ts';

/**
 * Brings the student's tensor to the shape of the teacher's, as far as a loss asks for it:
 * - a map [B, C, H, W] beside a vector [B, D] is averaged over its positions first;
 * - positions of maps: where the student's height and width are multiples of the teacher's, the average of each window
 *   (exact, every pixel counts once); else linear interpolation between pixel centres (Resize, half_pixel);
 * - positions of sequences [B, L, D] must agree: tokens have no neighbours to average with;
 * - channels: where they differ a linear map of the student's, 1x1 convolution on maps and matrix product on the others,
 *   with bias, trained with the student and dropped at export. Weights start He-normal, std = sqrt(2 / channels in)
 *   (He et al. 2015, arXiv 1502.01852), biases at 0.
 * Averages and interpolation commute with the 1x1 convolution, which therefore runs on the smaller map.
 */
export function alignFeatures(
  b: GraphBuilder,
  pair: FeaturePair,
  use: Pick<FeatureUse, 'align' | 'ranks'>,
  own: ObjectiveParts,
  { loss, from }: { readonly loss: string; readonly from: string },
): FeaturePair {
  const refuse = (why: string): never => {
    const shown = (name: string): string => `[${b.dims(name).join(', ')}]`;
    throw new RetortError(
      'SPEC_INVALID',
      `"${loss}" cannot compare the student's "${asWritten(pair.student)}" ${shown(pair.student)} with the teacher's "${from}" ${shown(pair.teacher)}: ${why}`,
      { hint: 'Name other tensors in "from" and "to" of that term, or leave both out.' },
    );
  };
  const rank = (name: string): number => b.dims(name).length;
  const misfit = [pair.teacher, pair.student].find((name) => !use.ranks.includes(rank(name)));
  const pools = use.align === 'shape' && rank(pair.student) === 4 && rank(pair.teacher) === 2;
  if (misfit && !(pools && use.ranks.includes(2))) {
    refuse(`it reads tensors of rank ${use.ranks.join(' or ')}`);
  }
  if (use.align === 'none') return pair;
  if (use.align === 'same') {
    if (b.dims(pair.student).join() !== b.dims(pair.teacher).join()) refuse('their shapes differ');
    return pair;
  }
  const averaged = pools ? b.op('ReduceMean', [pair.student, b.ints([2, 3])], { keepdims: 0 }) : pair.student;
  if (rank(averaged) !== rank(pair.teacher)) refuse('their ranks differ');
  if (rank(averaged) === 3 && b.dims(averaged)[1] !== b.dims(pair.teacher)[1]) {
    refuse('their sequences are not equally long');
  }
  const shrunk = shrink(b, averaged, pair.teacher);
  const channels = use.align === 'shape' ? adapt(b, shrunk, pair.teacher, own) : shrunk;
  return { student: stretch(b, channels, pair.teacher), teacher: pair.teacher };
}

/** Averages windows where a map is a multiple of the teacher's; other maps stay as they are. */
function shrink(b: GraphBuilder, x: string, teacher: string): string {
  const [, , height, width] = b.dims(x);
  const [, , wantedHeight, wantedWidth] = b.dims(teacher);
  if (!height || !width || !wantedHeight || !wantedWidth) return x;
  if (height % wantedHeight !== 0 || width % wantedWidth !== 0) return x;
  const window = [height / wantedHeight, width / wantedWidth];
  if (window.every((size) => size === 1)) return x;
  return b.op('AveragePool', [x], { kernel_shape: window, strides: window });
}

/** Interpolates a map that is not the teacher's size yet. */
function stretch(b: GraphBuilder, x: string, teacher: string): string {
  const dims = b.dims(x);
  const [, , height, width] = b.dims(teacher);
  if (dims.length !== 4 || (dims[2] === height && dims[3] === width)) return x;
  const sizes = b.ints([dims[0]!, dims[1]!, height!, width!]);
  return b.op('Resize', [x, '', '', sizes], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' });
}

/** The student's channels mapped to as many as the teacher's; as they are where they are as many. */
function adapt(b: GraphBuilder, x: string, teacher: string, own: ObjectiveParts): string {
  const axis = b.dims(x).length === 4 ? 1 : b.dims(x).length - 1;
  const [from, to] = [b.dims(x)[axis]!, b.dims(teacher)[axis]!];
  return from === to ? x : linearMap(b, x, to, own, 'adapter');
}
