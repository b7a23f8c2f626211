import Type from 'typebox';
import type { GeometricAugmentation } from './augmentation.ts';

const options = Type.Object(
  {
    padding: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 4,
      description: 'Pixels of zeros on each side',
    }),
  },
  { additionalProperties: false },
);

export const crop: GeometricAugmentation<typeof options> = {
  name: 'crop',
  summary: 'Pads with zeros on all sides and cuts the old size out at a random place',
  kind: 'geometric',
  options,
  transform(random, { padding }) {
    const dx = random.int(2 * padding + 1) - padding;
    const dy = random.int(2 * padding + 1) - padding;
    return [1, 0, dx, 0, 1, dy];
  },
};
