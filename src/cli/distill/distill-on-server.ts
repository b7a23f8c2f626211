import type { CliIo } from '../command.ts';
import { clientOf } from '../server-options.ts';
import { answered } from './answered.ts';
import type { DistillOptions } from './distill-options.ts';
import { finishJob } from './finish-job.ts';
import { givenFiles } from './given-files.ts';
import { givenSpec } from './given-spec.ts';
import { prepareFolder } from './prepare-folder.ts';

/** The same journey on a server: files there, progress and results here. */
export async function distillOnServer(
  options: DistillOptions & { readonly server: string },
  io: CliIo,
): Promise<void> {
  const { server, out, detach } = options;
  const { signal } = io;
  const spec = await givenSpec(options);
  const client = clientOf(options);
  const files = await givenFiles(options);
  if (out !== undefined) await prepareFolder(out);
  const ask = async () => client.distillations.create({ ...(await files.send(client, io)), spec, signal });
  const job = await answered(ask(), signal, '`retort jobs list` shows whether a job was made.');
  if (detach) {
    io.err.write(`it goes on on the server; \`retort jobs watch ${job.id} --server ${server}\` shows it\n`);
    return void io.out.write(`${job.id}\n`);
  }
  io.err.write(`${job.id} on ${server}\n`);
  await finishJob(client, job.id, { server, out }, io);
}
