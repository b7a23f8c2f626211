import type { RetortClient } from '../../client/retort-client.ts';
import { RetortError } from '../../errors.ts';
import type { CliIo } from '../command.ts';
import { writeWhole } from './write-whole.ts';

/** Downloads every artifact of a job into a folder, each checked against its sha256; returns how many there are. */
export async function fetchArtifacts(
  client: RetortClient,
  id: string,
  out: string,
  { signal }: CliIo,
): Promise<number> {
  const artifacts = await client.distillations.artifacts(id, { signal });
  for (const { name, sha256 } of artifacts) {
    if (!/^\w[\w.-]*$/.test(name)) {
      throw new RetortError('STORE_CORRUPT', `the server names an artifact ${JSON.stringify(name)}`, {
        hint: 'Such a name is no file of Retort; nothing was written under it. Look at the server.',
      });
    }
    const { stream } = await client.distillations.download(id, name, { sha256, signal });
    await writeWhole(out, name, stream, signal);
  }
  return artifacts.length;
}
