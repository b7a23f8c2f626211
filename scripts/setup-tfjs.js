// Installs tfjs-node, whose libtensorflow makes the tfjs kernel fast. Not in the lock file: libtensorflow (about 150 MB)
// comes from Google's servers, which not every machine may reach; where they are not, it is taken from a wheel of
// tensorflow-cpu and the addon is built here. All of it happens in a folder beside, which is moved into place when it
// works: the package is usable or untouched afterwards, and so are all others. Retort works without it.
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt } from './tfjs-node/attempt.js';
import { probe } from './tfjs-node/probe.js';
import { stage } from './tfjs-node/stage.js';
import { takeFromWheel } from './tfjs-node/take-from-wheel.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const place = join(modules, '@tensorflow', 'tfjs-node');
// Inside node_modules, so that tfjs-core is found there and the move is a rename; npm passes over names with a dot.
const scratch = join(modules, '.setup-tfjs-node');

const version = readVersion();
const present = existsSync(place) ? probe(place) : { problem: 'absent' };
if (!present.problem && present.version === version) {
  console.log(`tfjs-node ${version} is there and works. Nothing to do.`);
} else {
  if (existsSync(place))
    console.log(`tfjs-node is there but ${reason(present)}; it is replaced if that works.`);
  await install();
}

async function install() {
  rmSync(scratch, { recursive: true, force: true });
  try {
    console.log(`Fetching @tensorflow/tfjs-node@${version} ...`);
    const staged = stage(scratch, version);
    const way = await build(staged);
    rmSync(place, { recursive: true, force: true });
    renameSync(staged, place);
    console.log(`The tfjs kernel now runs on libtensorflow, ${way}.`);
  } catch (error) {
    fail(error.message);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Makes the staged package load, one way or the other; says which. */
async function build(staged) {
  console.log("Running the package's own installer ...");
  const own = attempt('npm', ['run', 'install', '--prefix', staged], { cwd: staged, minutes: 20 });
  const problem = own.problem ?? probe(staged).problem;
  if (!problem) return "as the package's own installer fetched it";
  console.log(`That did not do: ${problem}`);

  const wheel = await takeFromWheel(join(scratch, 'wheel'), staged);
  console.log('Building the addon from source ...');
  const built = attempt('npm', ['run', 'build-addon-from-source', '--prefix', staged], {
    cwd: staged,
    minutes: 20,
    env: headers(),
  });
  if (built.problem) throw new Error(`the addon could not be built: ${built.problem}`);
  const { problem: still } = probe(staged);
  if (still) throw new Error(`it was built with ${wheel}, but ${still}`);
  return `taken from ${wheel}`;
}

/** node-gyp downloads Node's headers unless it is told where they are. */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  const known = process.env.npm_config_nodedir || !existsSync(join(prefix, 'include/node/node_api.h'));
  return known ? {} : { npm_config_nodedir: prefix };
}

/** It must be the version of tfjs-core, whose engine it joins. */
function readVersion() {
  try {
    return JSON.parse(readFileSync(join(modules, '@tensorflow/tfjs-core/package.json'), 'utf8')).version;
  } catch {
    return fail('the dependencies are not installed (npm run setup)');
  }
}

function reason({ problem, version: found }) {
  return problem ? `does not work (${problem})` : `has version ${found} beside tfjs-core ${version}`;
}

function fail(why) {
  console.error(`\ntfjs-node was not installed: ${why}.`);
  console.error(
    'Nothing was changed. It needs storage.googleapis.com, where libtensorflow lies; or else pip with an',
  );
  console.error('index that has tensorflow-cpu, and a compiler (g++, make, python3).');
  console.error(
    'The tfjs kernel runs all the same, in plain JavaScript: right, but slow. onnxruntime is not affected.',
  );
  rmSync(scratch, { recursive: true, force: true });
  process.exit(69);
}
