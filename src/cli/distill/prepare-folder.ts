import { access, constants, mkdir } from 'node:fs/promises';

/** Makes the folder of the results, and finds before the work what would be found wrong only after it. */
export async function prepareFolder(out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  await access(out, constants.W_OK);
}
