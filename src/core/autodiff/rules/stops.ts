import type { GradientStop } from '../rule.ts';

/** Operators whose outputs carry no gradient by design, by the reason why. */
const reasons: Readonly<Record<string, readonly string[]>> = {
  'gives sizes, not values': ['Shape', 'Size'],
  'depends on no value': ['Constant', 'ConstantOfShape', 'EyeLike', 'Range'],
  'gives truth values': [
    'And',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'IsInf',
    'IsNaN',
    'Less',
    'LessOrEqual',
    'Not',
    'Or',
    'Xor',
  ],
  'gives indices': ['ArgMax', 'ArgMin', 'NonMaxSuppression', 'NonZero'],
  'reads indices; its two values are taken as constants': ['OneHot'],
  'is constant between jumps: the slope is zero almost everywhere': [
    'Ceil',
    'Floor',
    'Hardmax',
    'Round',
    'Sign',
  ],
  'computes on bits': ['BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr', 'BitwiseXor'],
  'draws random numbers': [
    'Bernoulli',
    'Multinomial',
    'RandomNormal',
    'RandomNormalLike',
    'RandomUniform',
    'RandomUniformLike',
  ],
};

export const stops: readonly GradientStop[] = Object.entries(reasons).flatMap(([reason, ops]) =>
  ops.map((op): GradientStop => ({ op, stop: true, reason })),
);
