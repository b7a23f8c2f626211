import type { MetricValue } from '../../core/metrics/metric.ts';
import { decodeSnapshot } from '../../core/program/safetensors.ts';
import type { Scorer } from '../logits/scorer.ts';
import type { Results, Trained } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { openStudent } from '../student/open-student.ts';
import { withSnapshot } from '../student/trained-model.ts';
import type { Rows } from '../training/open-rows.ts';
import { studentOf } from '../training/train-student.ts';
import { trainingSeed } from '../training/training-seed.ts';
import type { Report, SeedRun, SeedsReport } from './report.ts';
import { seedsReport } from './seeds-report.ts';

/**
 * Students and controls of all seeds on the test split; nothing for one seed. The delivered pair has its figures already,
 * in `models`; the others are looked at as the runtime runs them, without being exported.
 */
export async function scoreRepeats(
  done: Results,
  models: Report['models'],
  rows: Rows,
  context: StageContext,
  figures: (scorer: Scorer) => Promise<Readonly<Record<string, MetricValue>>>,
): Promise<{ readonly seeds?: SeedsReport }> {
  const { repeated } = done.train;
  if (!repeated) return {};
  const { spec, blobs } = context;
  const untrained = await studentOf(done, context, rows);
  const figuresOf = async ({ snapshot }: Trained) => {
    const state = decodeSnapshot(await blobs.get(snapshot.hash));
    const trained = withSnapshot(untrained, state, spec.train.ema !== undefined);
    return figures(await openStudent(trained, done, context));
  };
  const runs: SeedRun[] = [];
  for (const [index, run] of repeated.runs.entries()) {
    const isDelivered = index === repeated.chosen;
    const control = done.control?.repeated?.runs[index];
    runs.push({
      seed: trainingSeed(spec.seed, index),
      student: isDelivered ? models.student!.metrics : await figuresOf(run),
      ...(control ? { control: isDelivered ? models.control!.metrics : await figuresOf(control) } : {}),
    });
  }
  return { seeds: seedsReport(runs, repeated.chosen) };
}
