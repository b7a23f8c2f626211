import type { CliIo } from '../command.ts';
import { clientOf } from '../server-options.ts';
import { answered } from './answered.ts';
import type { DistillOptions } from './distill-options.ts';
import { givenFiles } from './given-files.ts';
import { givenSpec } from './given-spec.ts';
import { printValidation } from './print-validation.ts';

/** What the job would meet and cost on a server; it keeps what it computes for the job. */
export async function foreseeOnServer(
  options: DistillOptions & { readonly server: string },
  io: CliIo,
): Promise<void> {
  const { signal } = io;
  const spec = await givenSpec(options);
  const client = clientOf(options);
  const files = await givenFiles(options);
  const ask = async () => client.validate({ ...(await files.send(client, io)), spec, signal });
  printValidation(await answered(ask(), signal, 'Nothing was made; ask again.'), io);
}
