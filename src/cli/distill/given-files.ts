import type { DistillationInput } from '../../client/distillation-request.ts';
import type { RetortClient } from '../../client/retort-client.ts';
import type { CliIo } from '../command.ts';
import type { DistillOptions } from './distill-options.ts';
import { localFile } from './local-file.ts';
import { uploadFiles } from './upload-files.ts';

/** Bytes above which files go as resumable uploads: a connection that breaks costs a slice, not all of it. */
const ONE_REQUEST = 64 * 2 ** 20;

/** The files of a job, found readable. */
export interface GivenFiles {
  /** As the server takes them: small ones as they are, large ones uploaded before. */
  send(client: RetortClient, io: CliIo): Promise<DistillationInput>;
}

export async function givenFiles(
  options: Pick<DistillOptions, 'teacher' | 'data' | 'with'>,
): Promise<GivenFiles> {
  const paths = [options.teacher, ...(options.with ?? []), ...options.data];
  const files = await Promise.all(paths.map(localFile));
  const companions = files.slice(1, paths.length - options.data.length);
  const bytes = files.reduce((sum, { data }) => sum + data.size, 0);
  return {
    async send(client, io) {
      // A wrong key or address is to be told before the files have gone.
      await client.distillations.list({ pageSize: 1, signal: io.signal }).next();
      const [teacher, ...rest] = bytes > ONE_REQUEST ? await uploadFiles(client, files, io) : files;
      return {
        teacher: teacher!,
        companions: Object.fromEntries(companions.map(({ name }, i) => [name, rest[i]!])),
        dataset: rest.slice(companions.length),
      };
    },
  };
}
