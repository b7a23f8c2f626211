import { type EntrySpec, entryOf, resolveOptions } from '../../core/options.ts';
import { Random } from '../../core/random.ts';
import { RetortError } from '../../errors.ts';
import { type Affine, compose, identity } from '../affine.ts';
import type { Augmentation, GeometricAugmentation, MixingAugmentation } from './augmentation.ts';
import { augmentations } from './index.ts';

interface Step<A extends Augmentation> {
  readonly entry: A;
  readonly options: Record<string, unknown>;
}

/** The augmentations of a spec, checked, in their order. */
export interface AugmentPlan {
  readonly geometric: readonly Step<GeometricAugmentation>[];
  readonly mixing: Step<MixingAugmentation> | undefined;
}

export const noAugment: AugmentPlan = { geometric: [], mixing: undefined };

/** The plan of the entries of `train.augment`; SPEC_INVALID for unknown names, wrong options and repetitions. */
export function planAugment(list: readonly EntrySpec[]): AugmentPlan {
  const names = list.map(({ name }) => name);
  const steps = list.map(({ name, options }) => {
    const entry = entryOf<Augmentation>(augmentations, name, 'augmentation');
    return { entry, options: resolveOptions(entry.options, options, name) };
  });
  const mixing = steps.filter(isMixing);
  if (new Set(names).size < names.length || mixing.length > 1) {
    throw new RetortError('SPEC_INVALID', `train.augment: ${names.join(', ')} repeat an augmentation`, {
      hint: 'Name each once, and at most one that mixes rows.',
    });
  }
  return { geometric: steps.filter(isGeometric), mixing: mixing[0] };
}

const isGeometric = (step: Step<Augmentation>): step is Step<GeometricAugmentation> =>
  step.entry.kind === 'geometric';
const isMixing = (step: Step<Augmentation>): step is Step<MixingAugmentation> => step.entry.kind === 'mixing';

/** Where the pixels of this row come from in this epoch. */
export function transformOf(
  plan: AugmentPlan,
  seed: number,
  epoch: number,
  row: number,
  height: number,
  width: number,
): Affine {
  let total = identity;
  for (const { entry, options } of plan.geometric) {
    const random = new Random(seed, `augment:${entry.name}`, epoch, row);
    total = compose(total, entry.transform(random, options, height, width));
  }
  return total;
}

/** Weight of the row itself in its mix; 1 without mixing. */
export function mixWeight(plan: AugmentPlan, seed: number, epoch: number, row: number): number {
  if (!plan.mixing) return 1;
  const { entry, options } = plan.mixing;
  return entry.weight(new Random(seed, `augment:${entry.name}`, epoch, row), options);
}

/** Each row's partner in this epoch: a seeded permutation of the rows, by row number (0 elsewhere). */
export function partnersOf(rows: Uint32Array, seed: number, epoch: number): Uint32Array {
  const shuffled = new Random(seed, 'augment:partners', epoch).shuffle(rows.slice());
  const partners = new Uint32Array(rows.reduce((max, row) => Math.max(max, row), -1) + 1);
  for (const [i, row] of rows.entries()) partners[row] = shuffled[i]!;
  return partners;
}
