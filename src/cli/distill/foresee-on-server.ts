import { RetortError } from '../../errors.ts';
import { parseSpec } from '../../spec/parse-spec.ts';
import type { CliIo } from '../command.ts';
import { readJson } from '../read-json.ts';
import { clientOf } from '../server-options.ts';
import type { DistillOptions } from './distill-options.ts';
import { givenFiles } from './given-files.ts';
import { printValidation } from './print-validation.ts';

/** What the job would meet and cost on a server; it keeps what it computes for the job. */
export async function foreseeOnServer(
  options: DistillOptions & { readonly server: string },
  io: CliIo,
): Promise<void> {
  const { signal } = io;
  const spec = parseSpec(options.spec === undefined ? { version: 1 } : await readJson(options.spec));
  const client = clientOf(options);
  const files = await givenFiles(options);
  try {
    printValidation(await client.validate({ ...(await files.send(client, io)), spec, signal }), io);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new RetortError('CANCELLED', 'stopped before the server had answered', {
      hint: 'Nothing was made; ask again.',
    });
  }
}
