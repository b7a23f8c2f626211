import { Random } from '../../core/random.ts';
import { RetortError } from '../../errors.ts';
import { type Affine, compose, identity } from '../affine.ts';
import { parseOptions } from '../parse-options.ts';
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

/** Checks a list of `{name, ...options}`. */
export function planAugment(
  list: readonly { readonly name: string }[],
  where = 'train.augment',
): AugmentPlan {
  const known: Readonly<Record<string, Augmentation>> = augmentations;
  const geometric: Step<GeometricAugmentation>[] = [];
  let mixing: Step<MixingAugmentation> | undefined;
  const seen = new Set<string>();
  for (const [i, { name, ...rest }] of list.entries()) {
    const entry = Object.hasOwn(known, name) ? known[name]! : undefined;
    if (!entry || seen.has(name)) {
      throw new RetortError(
        'SPEC_INVALID',
        `${where}.${i}: ${entry ? `${name} is there twice` : `no augmentation ${name}`}`,
        {
          hint: `Augmentations: ${Object.keys(known).join(', ')}, each at most once.`,
        },
      );
    }
    seen.add(name);
    const options = parseOptions(entry.options, rest, `${where}.${i}`);
    if (entry.kind === 'geometric') geometric.push({ entry, options });
    else if (mixing) throw new RetortError('SPEC_INVALID', `${where}: at most one augmentation may mix rows`);
    else mixing = { entry, options };
  }
  return { geometric, mixing };
}

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
