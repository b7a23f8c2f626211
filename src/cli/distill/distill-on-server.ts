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
import { type LocalFile, localFile } from './local-file.ts';
import { uploadFiles } from './upload-files.ts';

/** Bytes above which files go as resumable uploads: a connection that breaks costs a slice, not all of it. */
const ONE_REQUEST = 64 * 2 ** 20;

/** The same journey on a server: files there, progress and results here. */
export async function distillOnServer(
  options: DistillOptions & { readonly server: string },
  io: CliIo,
): Promise<void> {
  const { server, out, detach } = options;
  const spec = parseSpec(options.spec === undefined ? { version: 1 } : await readJson(options.spec));
  const client = clientOf(options);
  const [teacher, ...files] = await Promise.all(
    [options.teacher, ...options.data, ...(options.with ?? [])].map(localFile),
  );
  const data = files.slice(0, options.data.length);
  const companions = files.slice(options.data.length);
  // What would be found wrong only after the work is found now.
  if (out !== undefined) await mkdir(out, { recursive: true });
  const job = await create(client, { teacher: teacher!, data, companions }, spec, io);
  if (detach) {
    io.err.write(`it goes on on the server; \`retort jobs watch ${job.id} --server ${server}\` shows it\n`);
    return void io.out.write(`${job.id}\n`);
  }
  io.err.write(`${job.id} on ${server}\n`);
  await finishJob(client, job.id, { server, out }, io);
}

interface Given {
  readonly teacher: LocalFile;
  readonly data: readonly LocalFile[];
  readonly companions: readonly LocalFile[];
}

async function create(client: RetortClient, given: Given, spec: Spec, io: CliIo): Promise<Distillation> {
  const { signal } = io;
  const { teacher, data, companions } = given;
  const files = [teacher, ...companions, ...data];
  const bytes = files.reduce((sum, file) => sum + file.data.size, 0);
  try {
    // A wrong key or address is to be told before the files have gone.
    await client.distillations.list({ pageSize: 1, signal }).next();
    const [first, ...rest] = bytes > ONE_REQUEST ? await uploadFiles(client, files, io) : files;
    return await client.distillations.create({
      teacher: first!,
      companions: Object.fromEntries(companions.map(({ name }, i) => [name, rest[i]!])),
      dataset: rest.slice(companions.length),
      spec,
      signal,
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new RetortError('CANCELLED', 'stopped before the server had answered', {
      hint: '`retort jobs list` shows whether a job was made.',
    });
  }
}
