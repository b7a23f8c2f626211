import type { BatchMaker } from '../../data/batch.ts';
import { invariant } from '../../errors.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { hashOf } from '../stage-key.ts';
import { aboutTeacher } from '../teacher/about-teacher.ts';
import { type JobTeacher, jobTeachers } from '../teacher/job-teachers.ts';
import { openTeacher } from '../teacher/open-teacher.ts';
import { teacherBatch } from '../teacher/teacher-batch.ts';
import { teacherKeys } from '../teacher/teacher-key.ts';
import { openOtherRows, openRows, type Rows } from '../training/open-rows.ts';
import { validationRows } from '../training/validation-rows.ts';
import { shardRowsFor } from './logits-store.ts';
import { refuseNotFinite } from './refuse-not-finite.ts';
import { scoreRows } from './score-rows.ts';
import type { Scorer } from './scorer.ts';
import { ShardStore } from './shard-store.ts';
import { shardName, type TeachShard, teachShards } from './teach-shards.ts';
import { viewCount } from './view-count.ts';

/** What the teachers are asked, cut into shards, and the means to ask them. */
export interface TeachWork {
  /** Teacher by teacher: the validation rows, then the training rows as often as the student sees new pixels. */
  readonly views: readonly TeachView[];
  readonly shards: readonly TeachShard[];
  /** The rows as the job's teacher takes them. */
  readonly rows: Rows;
  /** Opens the teacher of a shard and closes the one before it; until then only the rows are open. */
  open(shard: TeachShard): Promise<void>;
  /** Logits [rows, own outputs] of a shard. `onRows` is called between batches, and may throw to stop. */
  logits(shard: TeachShard, onRows: (rows: number) => void): Promise<Float32Array>;
  /** Where a shard is kept: under its teacher and what that is asked, for any job that asks the same. */
  kept(shard: TeachShard): { readonly store: ShardStore; readonly name: string };
  close(): Promise<void>;
}

export interface TeachView {
  /** Position of its teacher, the job's own first. */
  readonly teacher: number;
  readonly epoch: number;
  readonly rows: Uint32Array;
  readonly classes: number;
  readonly shardRows: number;
}

/** Raised when a teacher would say something else when asked the same. */
const VERSION = 1;

/** Opens the rows. */
export async function openTeachWork(
  done: Pick<Results, 'decode' | 'inspect' | 'qualify' | 'recover'>,
  context: Pick<StageContext, 'blobs' | 'jobs' | 'runtime' | 'spec'>,
): Promise<TeachWork> {
  const { spec, runtime } = context;
  const job = await openRows(done, context);
  const teachers = jobTeachers(done, spec);
  const [, ...others] = teachers;
  const opened: (Rows & { close(): Promise<void> })[] = [{ ...job, close: () => job.dataset.close() }];
  for (const teacher of others) opened.push(await openOtherRows(teacher, job, done, context));
  const makers = opened.map((rows) => (spec.train.augment.length > 0 ? rows.augmented() : rows.plain));
  const stores = teacherKeys(done, spec).map(
    (key) => new ShardStore(context, hashOf([VERSION, runtime.version, key])),
  );
  const perTeacher = 1 + viewCount(spec, job.dataset.splits.train.length);
  const views = teachers.flatMap((teacher, i) => viewsOf(teacher, i, perTeacher, job));
  let asked: { readonly teacher: number; readonly scorer: Scorer } | undefined;
  return {
    views,
    shards: teachShards(views.map(({ rows, shardRows }) => ({ rows: rows.length, shardRows }))),
    rows: job,
    async open({ view }) {
      const { teacher } = views[view]!;
      if (asked?.teacher === teacher) return;
      await asked?.scorer.close();
      asked = undefined;
      asked = { teacher, scorer: await openTeacher(teachers[teacher]!.plan, context) };
    },
    async logits(shard, onRows) {
      const { teacher, rows, epoch, classes } = views[shard.view]!;
      invariant(asked?.teacher === teacher, 'the teacher is asked before it is open');
      const part = rows.subarray(shard.from, shard.from + shard.rows);
      const maker: BatchMaker = isPlain(shard.view, perTeacher) ? opened[teacher]!.plain : makers[teacher]!;
      const input = teachers[teacher]!.plan.input.name;
      const batch = teacherBatch(spec, teacher);
      const { scorer } = asked;
      const ask = async (): Promise<Float32Array> => {
        const made = await scoreRows(scorer, maker, part, { input, classes, epoch, batch, onRows });
        refuseNotFinite(made, part);
        return made;
      };
      return teacher === 0 ? ask() : aboutTeacher(teachers[teacher]!.name, ask);
    },
    kept: (shard) => ({
      store: stores[views[shard.view]!.teacher]!,
      name: shardName({ ...shard, view: shard.view % perTeacher }),
    }),
    async close() {
      await asked?.scorer.close();
      for (const rows of opened.toReversed()) await rows.close();
    },
  };
}

/** Of each teacher's views the first shows the validation rows as they are. */
const isPlain = (view: number, perTeacher: number): boolean => view % perTeacher === 0;

function viewsOf({ plan }: JobTeacher, teacher: number, count: number, { dataset }: Rows): TeachView[] {
  const { classes } = plan.scores;
  const common = { teacher, classes, shardRows: shardRowsFor(classes) };
  return [
    { ...common, rows: validationRows(dataset), epoch: 0 },
    ...Array.from({ length: count - 1 }, (_, epoch) => ({ ...common, rows: dataset.splits.train, epoch })),
  ];
}
