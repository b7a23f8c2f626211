import type { Stage } from './stage.ts';
import { calibrate } from './stages/calibrate.ts';
import { choose } from './stages/choose.ts';
import { control } from './stages/control.ts';
import { decode } from './stages/decode.ts';
import { evaluate } from './stages/evaluate.ts';
import { exportModels } from './stages/export.ts';
import { ingest } from './stages/ingest.ts';
import { inspect } from './stages/inspect.ts';
import { match } from './stages/match.ts';
import { measure } from './stages/measure.ts';
import { publish } from './stages/publish.ts';
import { qualify } from './stages/qualify.ts';
import { recover } from './stages/recover.ts';
import { teach } from './stages/teach.ts';
import { train } from './stages/train.ts';

/** The journey: every stage, in order. */
export const journey: readonly Stage[] = [
  ingest,
  inspect,
  decode,
  qualify,
  match,
  recover,
  teach,
  calibrate,
  choose,
  control,
  train,
  exportModels,
  evaluate,
  measure,
  publish,
];
