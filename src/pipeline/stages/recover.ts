import { considerKernel } from '../inversion/inversion-kernel.ts';
import { recoverPictures } from '../inversion/recover-pictures.ts';
import type { Stage } from '../stage.ts';
import { checkStudent } from '../student/check-student.ts';
import { openRows, rowsKey } from '../training/open-rows.ts';

/** Training rows out of the teacher itself, where the strategy has none of its own. */
export const recover: Stage<'recover'> = {
  name: 'recover',
  summary: 'recovers pictures from the teacher',
  version: 2,
  async key({ inspect, decode }, { spec, kernels }) {
    if (!spec.inversion) return { inversion: null };
    const { name } = await considerKernel(spec.train, kernels);
    return {
      teacher: inspect.plan,
      files: decode.files,
      rows: rowsKey(spec),
      kernel: name,
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
