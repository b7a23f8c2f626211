import { mkdir } from 'node:fs/promises';
import type { RetortClient } from '../../client/retort-client.ts';
import type { Distillation } from '../../contract/distillation.ts';
import { RetortError } from '../../errors.ts';
import { parseSpec } from '../../spec/parse-spec.ts';
import type { Spec } from '../../spec/spec.ts';
import type { CliIo } from '../command.ts';
import { readJson } from '../read-json.ts';
import { clientOf } from '../server-options.ts';
import type { DistillOptions } from './distill-options.ts';
import { finishJob } from './finish-job.ts';
import { type GivenFiles, givenFiles } from './given-files.ts';

/** The same journey on a server: files there, progress and results here. */
export async function distillOnServer(
  options: DistillOptions & { readonly server: string },
  io: CliIo,
): Promise<void> {
  const { server, out, detach } = options;
  const spec = parseSpec(options.spec === undefined ? { version: 1 } : await readJson(options.spec));
  const client = clientOf(options);
  const files = await givenFiles(options);
  // What would be found wrong only after the work is found now.
  if (out !== undefined) await mkdir(out, { recursive: true });
  const job = await create(client, files, spec, io);
  if (detach) {
    io.err.write(`it goes on on the server; \`retort jobs watch ${job.id} --server ${server}\` shows it\n`);
    return void io.out.write(`${job.id}\n`);
  }
  io.err.write(`${job.id} on ${server}\n`);
  await finishJob(client, job.id, { server, out }, io);
}

async function create(client: RetortClient, files: GivenFiles, spec: Spec, io: CliIo): Promise<Distillation> {
  const { signal } = io;
  try {
    return await client.distillations.create({ ...(await files.send(client, io)), spec, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new RetortError('CANCELLED', 'stopped before the server had answered', {
      hint: '`retort jobs list` shows whether a job was made.',
    });
  }
}
