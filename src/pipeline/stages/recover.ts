import { askedKernel } from '../choice/asked-kernel.ts';
import { recoverPictures } from '../inversion/recover-pictures.ts';
import type { Stage } from '../stage.ts';
import { checkStudent } from '../student/check-student.ts';
import { openRows, rowsKey } from '../training/open-rows.ts';

/** Training rows out of the teacher itself, where the strategy has none of its own. */
export const recover: Stage<'recover'> = {
  name: 'recover',
  summary: 'recovers pictures from the teacher',
  version: 3,
  async key({ inspect, decode }, { spec, requested }) {
    if (!spec.inversion) return { inversion: null };
    return {
      teacher: inspect.plan,
      files: decode.files,
      rows: rowsKey(spec),
      // Not the one that is settled later, or the pictures of hours would be recovered again when the job goes on.
      kernel: askedKernel(requested),
      device: spec.train.device,
    };
  },
  async run(done, context) {
    if (!context.spec.inversion) return null;
    await checkStudent(done, context);
    const { input, dataset } = await openRows(done, context);
    await dataset.close();
    return recoverPictures(done.inspect.plan, input, context);
  },
};
