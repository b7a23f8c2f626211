import Type from 'typebox';
import type { GeometricAugmentation } from './augmentation.ts';

const options = Type.Object(
  {
    horizontal: Type.Number({ minimum: 0, maximum: 1, default: 0.5, description: 'Probability' }),
    vertical: Type.Number({ minimum: 0, maximum: 1, default: 0, description: 'Probability' }),
  },
  { additionalProperties: false },
);

export const flip: GeometricAugmentation<typeof options> = {
  name: 'flip',
  summary: 'Mirrors left-right and, where asked, top-bottom',
  kind: 'geometric',
  options,
  transform(random, { horizontal, vertical }, height, width) {
    const x = random.uniform() < horizontal;
    const y = random.uniform() < vertical;
    return [x ? -1 : 1, 0, x ? width - 1 : 0, 0, y ? -1 : 1, y ? height - 1 : 0];
  },
};
