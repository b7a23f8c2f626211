import type { RetortClient } from '../../client/retort-client.ts';
import type { CliIo } from '../command.ts';
import { fetchArtifacts } from './fetch-artifacts.ts';
import { followJob } from './follow-job.ts';
import { printVerdict } from './print-verdict.ts';

/** Follows a job on a server to its end, fetches its files where a folder is given, and prints the verdict. */
export async function finishJob(
  client: RetortClient,
  id: string,
  { server, out }: { readonly server: string; readonly out?: string | undefined },
  io: CliIo,
): Promise<void> {
  await followJob(client, id, server, io);
  const written = out === undefined ? undefined : { out, files: await fetchArtifacts(client, id, out, io) };
  printVerdict(await client.distillations.report(id, io), io, written);
}
