import { accuracy } from './accuracy.ts';
import { agreement } from './agreement.ts';
import { balancedAccuracy } from './balanced-accuracy.ts';
import { expectedCalibrationError } from './expected-calibration-error.ts';
import { klToTeacher } from './kl-to-teacher.ts';
import type { Metric } from './metric.ts';
import { perClassAccuracy } from './per-class-accuracy.ts';

/** Metrics by name, in the order of the report. */
export const metrics = {
  accuracy,
  balancedAccuracy,
  agreement,
  klToTeacher,
  ece: expectedCalibrationError,
  perClassAccuracy,
} as const satisfies Record<string, Metric>;
