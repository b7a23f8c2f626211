import type { Augmentation } from './augmentation.ts';
import { crop } from './crop.ts';
import { flip } from './flip.ts';
import { mixup } from './mixup.ts';
import { rotate } from './rotate.ts';
import { scale } from './scale.ts';
import { translate } from './translate.ts';

/** Augmentations by name. */
export const augmentations = { crop, flip, mixup, rotate, scale, translate } as const satisfies Record<
  string,
  Augmentation
>;
