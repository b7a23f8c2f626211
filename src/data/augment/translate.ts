import Type from 'typebox';
import type { GeometricAugmentation } from './augmentation.ts';

const options = Type.Object(
  {
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description: 'Largest shift, of the height and width',
    }),
  },
  { additionalProperties: false },
);

export const translate: GeometricAugmentation<typeof options> = {
  name: 'translate',
  summary: 'Shifts by a random share of the height and width, to parts of a pixel',
  kind: 'geometric',
  options,
  transform(random, { share }, height, width) {
    const dx = (2 * random.uniform() - 1) * share * width;
    const dy = (2 * random.uniform() - 1) * share * height;
    return [1, 0, dx, 0, 1, dy];
  },
};
