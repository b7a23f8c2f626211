import Type from 'typebox';
import { aboutCentre } from '../affine.ts';
import type { GeometricAugmentation } from './augmentation.ts';

/** Zoomed further, small pictures are a pixel or two. */
const range = { minimum: 0.1, maximum: 10 };

const options = Type.Object(
  {
    min: Type.Number({ ...range, default: 0.9, description: 'Smallest zoom' }),
    max: Type.Number({ ...range, default: 1.1, description: 'Largest zoom' }),
  },
  { additionalProperties: false },
);

export const scale: GeometricAugmentation<typeof options> = {
  name: 'scale',
  summary: 'Zooms about the centre by a random factor (uniform in its logarithm)',
  kind: 'geometric',
  options,
  transform(random, { min, max }, height, width) {
    const zoom = min * (max / min) ** random.uniform();
    return aboutCentre(height, width, [1 / zoom, 0, 0, 1 / zoom]);
  },
};
