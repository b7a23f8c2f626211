// Installs tfjs-node, whose libtensorflow makes the tfjs kernel fast. Not in the lock file: its installer downloads
// libtensorflow (about 150 MB) from Google's servers, which not every machine may reach. Retort works without it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const core = `${root}node_modules/@tensorflow/tfjs-core/package.json`;
const version = JSON.parse(readFileSync(core, 'utf8')).version;
const name = `@tensorflow/tfjs-node@${version}`;

console.log(`Installing ${name} ...`);
const install = spawnSync(
  'npm',
  ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', name],
  { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' },
);
if (install.status !== 0) fail('npm could not install it, see above', install.status ?? 1);

const probe = spawnSync(
  process.execPath,
  [
    '-e',
    'const tf = require("@tensorflow/tfjs-node"); console.log(tf.getBackend(), tf.version["tfjs-core"])',
  ],
  { cwd: root, encoding: 'utf8' },
);
if (probe.status !== 0) fail(`it does not load: ${lastError(probe.stderr)}`, 69);
console.log(`The tfjs kernel now runs on libtensorflow (${probe.stdout.trim()}).`);

function lastError(text) {
  return text.split('\n').find((line) => /Error/.test(line)) ?? text.trim();
}

function fail(why, status) {
  console.error(`\ntfjs-node is absent: ${why}.`);
  console.error('Its installer needs storage.googleapis.com, where libtensorflow lies.');
  console.error(
    'The tfjs kernel still runs, in plain JavaScript: right, but slow. The onnxruntime kernel is not affected.',
  );
  process.exit(status);
}
