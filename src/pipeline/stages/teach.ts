import { invariant } from '../../errors.ts';
import { combineViews } from '../logits/combine-views.ts';
import type { LogitsView } from '../logits/logits-store.ts';
import { makeShards } from '../logits/make-shards.ts';
import { shardName } from '../logits/teach-shards.ts';
import { openTeachWork } from '../logits/teach-work.ts';
import type { Stage } from '../stage.ts';
import { checkStudent } from '../student/check-student.ts';
import { classMaps } from '../teacher/job-teachers.ts';
import { teacherKeys } from '../teacher/teacher-key.ts';

/**
 * The teacher's logits of everything the student will be compared with, once for all objectives and students. Its parts
 * are shards of rows, which other processes may make (docs/adr/0007). Where further teachers join, their logits are kept as
 * each has given them, and what comes out is their combination (docs/adr/0010).
 */
export const teach: Stage<'teach'> = {
  name: 'teach',
  summary: 'asks the teacher',
  version: 2,
  key: (done, { spec }) => {
    const [own, ...others] = teacherKeys(done, spec);
    const { ensemble } = spec;
    if (!ensemble) return own;
    const { weight, combine, temperature, weighting } = ensemble;
    const weights = ensemble.others.map((other) => other.weight);
    return {
      ...own,
      others,
      maps: classMaps(done.qualify),
      weights,
      weight,
      combine,
      temperature,
      weighting,
    };
  },
  async run(done, context) {
    await checkStudent(done, context);
    const work = await openTeachWork(done, context);
    try {
      const made = await makeShards(work, work.shards, context);
      const views = work.views.map(({ rows, classes, shardRows }, view): LogitsView => {
        const shards = work.shards.filter((shard) => shard.view === view);
        return {
          rows: rows.length,
          classes,
          shardRows,
          shards: shards.map((shard) => made.get(shardName(shard))!),
        };
      });
      if (context.spec.ensemble) return await combineViews(views, work, done, context);
      const [validation, ...train] = views;
      return { train, validation: validation! };
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
