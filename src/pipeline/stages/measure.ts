import type { NDArray } from '../../core/ndarray.ts';
import { spread } from '../logits/score-rows.ts';
import type { Scorer } from '../logits/scorer.ts';
import type { Latency, ModelRole } from '../report/report.ts';
import type { Stage } from '../stage.ts';
import { studentScorer } from '../student/student-scorer.ts';
import { openTeacher } from '../teacher/open-teacher.ts';
import { openRows } from '../training/open-rows.ts';

const BATCHES = [1, 32];
const BUDGET_MS = 1000;
const FEWEST = 5;
const MOST = 200;

/** How long one run takes, of all models on the device of training: figures to compare. Never cached: it is a fact of this machine at this moment. */
export const measure: Stage<'measure'> = {
  name: 'measure',
  summary: 'measures latency',
  version: 1,
  async run(done, context) {
    const { plan } = done.inspect;
    const { student, control } = done.export;
    const { blobs, runtime, spec, clock } = context;
    const { device, threads } = spec.train;
    const rows = await openRows(done, context);
    try {
      const feeds: NDArray[] = [];
      for (const batch of BATCHES) {
        const chosen = spread(rows.dataset.splits.train, batch);
        const filled = Uint32Array.from({ length: batch }, (_, i) => chosen[i % chosen.length]!);
        const { inputs } = await rows.plain.assemble(filled, 0);
        feeds.push(inputs[plan.input.name]!);
      }
      const latency: Partial<Record<ModelRole, Latency[]>> = {};
      latency.teacher = await time(await openTeacher(plan, context, device), feeds, clock.precise);
      for (const [role, exported] of [
        ['control', control],
        ['student', student],
      ] as const) {
        if (!exported) continue;
        const session = await runtime.open(await blobs.get(exported.tapped.hash), { device, threads });
        latency[role] = await time(studentScorer(session, plan, plan.input), feeds, clock.precise);
      }
      return { latency };
    } finally {
      await rows.dataset.close();
    }
  },
};

/** About how long that takes for a model that needs so long for one row, milliseconds. */
export const latencyCost = (millisecondsPerRow: number): number =>
  BATCHES.map((batch) => batch * millisecondsPerRow)
    .map((run) => 2 * run + Math.max(FEWEST * run, Math.min(MOST * run, BUDGET_MS)))
    .reduce((sum, cost) => sum + cost, 0);

async function time(scorer: Scorer, feeds: readonly NDArray[], now: () => number): Promise<Latency[]> {
  try {
    const found: Latency[] = [];
    for (const rows of feeds) {
      // The first runs allocate; they are no measure.
      await scorer.logits(rows);
      await scorer.logits(rows);
      const times: number[] = [];
      const started = now();
      while (times.length < FEWEST || (times.length < MOST && now() - started < BUDGET_MS)) {
        const before = now();
        await scorer.logits(rows);
        times.push(now() - before);
      }
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
      found.push({ batch: rows.dims[0]!, runs: times.length, p50: at(0.5), p95: at(0.95) });
    }
    return found;
  } finally {
    await scorer.close();
  }
}
