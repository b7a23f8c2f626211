import { needsOf } from '../../core/program/build-program.ts';
import type { BatchMaker } from '../../data/batch.ts';
import { stepsPerEpoch } from '../../data/order.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { cancelled } from '../cancelled.ts';
import { type LogitsView, shardRowsFor } from '../logits-store.ts';
import { openRows, rowsKey } from '../open-rows.ts';
import { openTeacher } from '../open-teacher.ts';
import type { BlobRef } from '../ports.ts';
import { SCORE_BATCH, scoreRows } from '../score-rows.ts';
import type { Scorer } from '../scorer.ts';
import type { Stage, StageContext } from '../stage.ts';
import { validationRows } from '../validation-rows.ts';

/** The teacher's logits of everything the student will be compared with, once for all objectives and students. */
export const teach: Stage<'teach'> = {
  name: 'teach',
  summary: 'asks the teacher',
  version: 1,
  key: ({ inspect, decode, qualify }, { spec }) => ({
    teacher: inspect.plan,
    device: spec.train.device,
    files: decode.files,
    rows: rowsKey(spec),
    asked: needsOf(spec.objective.terms).has('teacher-logits')
      ? { augment: spec.train.augment, views: viewCount(spec, qualify.card.splits.train.rows) }
      : null,
  }),
  async run(done, context) {
    const { spec } = context;
    const { plan } = done.inspect;
    const rows = await openRows(done, context);
    const scorer = await openTeacher(plan, context);
    try {
      const { train } = rows.dataset.splits;
      const validation = validationRows(rows.dataset);
      const asked = needsOf(spec.objective.terms).has('teacher-logits');
      const views = asked ? viewCount(spec, train.length) : 0;
      const maker = spec.train.augment.length > 0 ? rows.augmented() : rows.plain;
      const wanted = [
        { rows: validation, maker: rows.plain, epoch: 0 },
        ...Array.from({ length: views }, (_, epoch) => ({ rows: train, maker, epoch })),
      ];
      const total = wanted.reduce((sum, view) => sum + view.rows.length, 0);
      const [first, ...rest] = await writeViews(
        wanted,
        scorer,
        plan.input.name,
        plan.scores.classes,
        total,
        context,
      );
      return { train: rest, validation: first! };
    } finally {
      await scorer.close();
      await rows.dataset.close();
    }
  },
};

/** How often the teacher sees the training rows: without augmentation every epoch shows the same pixels. */
export function viewCount({ train }: ResolvedSpec, rows: number): number {
  if (train.augment.length === 0) return 1;
  const { length } = train;
  return 'epochs' in length ? length.epochs : Math.ceil(length.steps / stepsPerEpoch(rows, train.batchSize));
}

interface WantedView {
  readonly rows: Uint32Array;
  readonly maker: BatchMaker;
  readonly epoch: number;
}

/** Shards of all views so far; a stop loses at most one. */
interface Progress {
  readonly shards: readonly (readonly BlobRef[])[];
}

async function writeViews(
  wanted: readonly WantedView[],
  scorer: Scorer,
  input: string,
  classes: number,
  total: number,
  { partial, blobs, signal, progress, clock }: StageContext,
): Promise<LogitsView[]> {
  const shards = ((await partial.load<Progress>())?.shards ?? []).map((list) => [...list]);
  const shardRows = shardRowsFor(classes);
  let finished = 0;
  let savedAt = clock.now();
  for (const [i, view] of wanted.entries()) {
    const list = shards[i] ?? [];
    shards[i] = list;
    for (let from = 0; from < view.rows.length; from += shardRows) {
      const part = view.rows.subarray(from, from + shardRows);
      if (list.length * shardRows <= from) {
        const onRows = (rows: number): void => {
          if (signal.aborted) throw cancelled('teach');
          progress(finished + rows, total);
        };
        const options = { input, classes, epoch: view.epoch, batch: SCORE_BATCH, onRows };
        const logits = await scoreRows(scorer, view.maker, part, options).catch(async (error) => {
          await partial.save({ shards } satisfies Progress);
          throw error;
        });
        list.push(await blobs.put(new Uint8Array(logits.buffer)));
        if (clock.now() - savedAt > 1000 || i === wanted.length - 1) {
          await partial.save({ shards } satisfies Progress);
          savedAt = clock.now();
        }
      }
      finished += part.length;
    }
  }
  return wanted.map((view, i) => ({ rows: view.rows.length, classes, shardRows, shards: shards[i]! }));
}
