import Type from 'typebox';
import { aboutCentre } from '../affine.ts';
import type { GeometricAugmentation } from './augmentation.ts';

const options = Type.Object(
  {
    min: Type.Number({ exclusiveMinimum: 0, default: 0.9, description: 'Smallest zoom' }),
    max: Type.Number({ exclusiveMinimum: 0, default: 1.1, description: 'Largest zoom' }),
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
