import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attempt } from './attempt.js';

/** What the kernel itself loads: the package must find the very same copies, above it. */
const SHARED = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'];

/**
 * Fetches tfjs-node into `folder` without running its installer, its dependencies inside its own folder, so that moving
 * that one folder installs it and nothing else changes. Returns the folder of the package.
 */
export function stage(folder, version) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const { problem } = attempt(
    'npm',
    [
      'install',
      ...['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      `@tensorflow/tfjs-node@${version}`,
    ],
    { cwd: folder, minutes: 10 },
  );
  if (problem) throw new Error(`npm could not fetch it: ${problem}`);

  const modules = join(folder, 'node_modules');
  const staged = join(folder, 'tfjs-node');
  renameSync(join(modules, '@tensorflow', 'tfjs-node'), staged);
  for (const name of SHARED) rmSync(join(modules, name), { recursive: true, force: true });
  moveInto(modules, join(staged, 'node_modules'));
  return staged;
}

/** Moves every package of one node_modules into another, which keeps its own where both have one. */
function moveInto(from, to) {
  for (const name of packagesOf(from)) {
    const target = join(to, name);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(from, name), target);
  }
}

const packagesOf = (modules) =>
  readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => join(name, inner)) : [name],
  );
