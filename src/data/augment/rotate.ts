import Type from 'typebox';
import { aboutCentre } from '../affine.ts';
import type { GeometricAugmentation } from './augmentation.ts';

const options = Type.Object(
  {
    degrees: Type.Number({ minimum: 0, maximum: 180, default: 15, description: 'Largest angle, either way' }),
  },
  { additionalProperties: false },
);

export const rotate: GeometricAugmentation<typeof options> = {
  name: 'rotate',
  summary: 'Turns about the centre by a random angle',
  kind: 'geometric',
  options,
  transform(random, { degrees }, height, width) {
    const angle = ((2 * random.uniform() - 1) * degrees * Math.PI) / 180;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    return aboutCentre(height, width, [cos, -sin, sin, cos]);
  },
};
