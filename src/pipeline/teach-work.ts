import { asksJobTeacher } from '../core/strategies/check-phases.ts';
import type { BatchMaker } from '../data/batch.ts';
import { stepsPerEpoch } from '../data/order.ts';
import { invariant } from '../errors.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import { shardRowsFor } from './logits-store.ts';
import { openRows } from './open-rows.ts';
import { openTeacher } from './open-teacher.ts';
import { placePhases } from './place-phases.ts';
import type { Results } from './results.ts';
import { SCORE_BATCH, scoreRows } from './score-rows.ts';
import type { Scorer } from './scorer.ts';
import type { StageContext } from './stage.ts';
import { type TeachShard, teachShards } from './teach-shards.ts';
import { validationRows } from './validation-rows.ts';

/** What the teacher is asked, cut into shards, and the means to ask it. */
export interface TeachWork {
  readonly classes: number;
  readonly shardRows: number;
  /** Rows of each view: the validation rows, then the training rows as often as the student sees new pixels. */
  readonly viewRows: readonly number[];
  readonly shards: readonly TeachShard[];
  /** Opens the teacher; until then only the rows are open. */
  open(): Promise<void>;
  /** Logits [rows, classes] of a shard. `onRows` is called between batches, and may throw to stop. */
  logits(shard: TeachShard, onRows: (rows: number) => void): Promise<Float32Array>;
  close(): Promise<void>;
}

interface View {
  readonly rows: Uint32Array;
  readonly maker: BatchMaker;
  readonly epoch: number;
}

/**
 * How often the teacher sees the training rows: not at all where no phase reads it, once without augmentation, for every
 * epoch shows the same pixels, else once for every epoch up to the last that reads it.
 */
export function viewCount({ phases, train }: ResolvedSpec, rows: number): number {
  const asking = placePhases(phases, train, rows).filter(asksJobTeacher);
  if (asking.length === 0) return 0;
  if (train.augment.length === 0) return 1;
  const last = Math.max(...asking.map(({ start, steps }) => start + steps));
  return Math.max(1, Math.ceil(last / stepsPerEpoch(rows, train.batchSize)));
}

/** Opens the rows. */
export async function openTeachWork(
  done: Pick<Results, 'decode' | 'inspect'>,
  context: Pick<StageContext, 'blobs' | 'runtime' | 'spec'>,
): Promise<TeachWork> {
  const { spec } = context;
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const rows = await openRows(done, context);
  const { train } = rows.dataset.splits;
  const maker = spec.train.augment.length > 0 ? rows.augmented() : rows.plain;
  const views: readonly View[] = [
    { rows: validationRows(rows.dataset), maker: rows.plain, epoch: 0 },
    ...Array.from({ length: viewCount(spec, train.length) }, (_, epoch) => ({
      rows: train,
      maker,
      epoch,
    })),
  ];
  const shardRows = shardRowsFor(classes);
  const viewRows = views.map((view) => view.rows.length);
  let scorer: Scorer | undefined;
  return {
    classes,
    shardRows,
    viewRows,
    shards: teachShards(viewRows, shardRows),
    async open() {
      scorer ??= await openTeacher(plan, context);
    },
    async logits(shard, onRows) {
      invariant(scorer, 'the teacher is asked before it is open');
      const { rows, maker, epoch } = views[shard.view]!;
      const part = rows.subarray(shard.from, shard.from + shard.rows);
      const input = plan.input.name;
      return scoreRows(scorer, maker, part, { input, classes, epoch, batch: SCORE_BATCH, onRows });
    },
    async close() {
      await scorer?.close();
      await rows.dataset.close();
    },
  };
}
