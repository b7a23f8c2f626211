import { invariant } from '../../errors.ts';
import { checkStudent } from '../check-student.ts';
import { makeShards } from '../make-shards.ts';
import { rowsKey } from '../open-rows.ts';
import type { Stage } from '../stage.ts';
import { shardName } from '../teach-shards.ts';
import { openTeachWork, viewCount } from '../teach-work.ts';

/**
 * The teacher's logits of everything the student will be compared with, once for all objectives and students. Its parts
 * are shards of rows, which other processes may make (docs/adr/0007).
 */
export const teach: Stage<'teach'> = {
  name: 'teach',
  summary: 'asks the teacher',
  version: 1,
  key: ({ inspect, decode, qualify }, { spec }) => {
    const views = viewCount(spec, qualify.card.splits.train.rows);
    return {
      teacher: inspect.plan,
      device: spec.train.device,
      files: decode.files,
      rows: rowsKey(spec),
      asked: views > 0 ? { augment: spec.train.augment, views } : null,
    };
  },
  async run(done, context) {
    await checkStudent(done, context);
    const work = await openTeachWork(done, context);
    try {
      const made = await makeShards(work, work.shards, context);
      const { classes, shardRows } = work;
      const [first, ...rest] = work.viewRows.map((rows, view) => {
        const shards = work.shards.filter((shard) => shard.view === view);
        return { rows, classes, shardRows, shards: shards.map((shard) => made.get(shardName(shard))!) };
      });
      return { train: rest, validation: first! };
    } finally {
      await work.close();
    }
  },
  async makeParts(names, done, context) {
    const work = await openTeachWork(done, context);
    try {
      const wanted = new Set(names);
      const shards = work.shards.filter((shard) => wanted.has(shardName(shard)));
      invariant(shards.length === wanted.size, `"teach" has not all of these ${wanted.size} shards`);
      await makeShards(work, shards, context);
    } finally {
      await work.close();
    }
  },
};
