import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { viewCount } from '../logits/view-count.ts';
import type { Results } from '../results.ts';
import { hashOf } from '../stage-key.ts';
import { rowsKey } from '../training/open-rows.ts';
import { type JobTeacher, jobTeachers } from './job-teachers.ts';
import { teacherBatch } from './teacher-batch.ts';

/** What decides the logits of every teacher, the job's own first; the same for the same teacher in any job. */
export function teacherKeys(
  done: Pick<Results, 'inspect' | 'decode' | 'qualify' | 'recover'>,
  spec: ResolvedSpec,
): readonly object[] {
  const views = viewCount(spec, done.qualify.card.splits.train.rows);
  const [own, ...others] = jobTeachers(done, spec);
  const key = ({ plan, files, inputs }: JobTeacher, position: number) => ({
    teacher: plan,
    device: spec.train.teacherDevice,
    // How many rows go together may show in the last bits of their logits.
    batch: teacherBatch(spec, position),
    files,
    recovered: done.recover?.pictures,
    rows: rowsKey({ ...spec, inputs }),
    asked: views > 0 ? { augment: spec.train.augment, views } : null,
  });
  const first = key(own, 0);
  // Class names are mapped by the outputs of the job's teacher, and augmentations are drawn for its pictures.
  const job = [first.files, own.plan.scores.classes];
  return [
    first,
    ...others.map((teacher, i) => {
      const isAlike = hashOf([teacher.files, teacher.plan.scores.classes]) === hashOf(job);
      return { ...key(teacher, i + 1), ...(isAlike ? {} : { job }) };
    }),
  ];
}
