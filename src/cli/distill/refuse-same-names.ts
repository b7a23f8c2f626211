import { basename } from 'node:path';
import { RetortError } from '../../errors.ts';

/** USAGE for two files of one name: specs and models tell the files that come along apart by their names. */
export function refuseSameNames(paths: readonly string[] = []): void {
  const names = paths.map((path) => basename(path));
  const at = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (at < 0) return;
  const first = paths[names.indexOf(names[at]!)]!;
  throw new RetortError('USAGE', `--with: ${first} and ${paths[at]} have the same name`, {
    hint: 'The spec names files by the last part of their path: rename one.',
  });
}
