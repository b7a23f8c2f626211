import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createWriteStream, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ZipFile } from 'yazl';

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));

const folderOf = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'setup-tfjs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** A clone whose dependencies are installed, as far as the script looks; nothing answers at its registry. */
async function clone(t: TestContext): Promise<string> {
  const root = await folderOf(t);
  await cp(scripts, join(root, 'scripts'), { recursive: true });
  await mkdir(join(root, 'node_modules/@tensorflow/tfjs-core'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{ "private": true, "type": "module" }');
  await writeFile(join(root, 'node_modules/@tensorflow/tfjs-core/package.json'), '{ "version": "4.22.0" }');
  return root;
}

const setUp = (root: string) =>
  spawnSync(process.execPath, [join(root, 'scripts/setup-tfjs.js')], {
    encoding: 'utf8',
    env: {
      ...process.env,
      npm_config_cache: join(root, 'npm-cache'),
      npm_config_fetch_retries: '0',
      npm_config_registry: 'http://127.0.0.1:1/',
    },
  });

test('leaves everything as it was where the package cannot be had, and says why', async (t) => {
  const root = await clone(t);
  const broken = join(root, 'node_modules/@tensorflow/tfjs-node');
  await mkdir(broken);
  await writeFile(join(broken, 'package.json'), '{ "version": "4.22.0" }');
  const entries = () => readdirSync(join(root, 'node_modules'), { recursive: true }).sort();
  const before = entries();

  const { status, stdout, stderr } = setUp(root);
  assert.equal(status, 69, stderr);
  assert.match(stdout, /tfjs-node is there but does not work \(it does not load: /);
  assert.match(stderr, /tfjs-node was not installed: npm could not fetch it: .*ECONNREFUSED/);
  assert.match(stderr, /Nothing was changed/);
  assert.deepEqual(entries(), before);
});

const LIBRARIES = {
  'tensorflow/libtensorflow_cc.so.2': 'cc',
  'tensorflow/libtensorflow_framework.so.2': 'framework',
};
const HEADERS = {
  'tensorflow/include/LICENSE': 'licence',
  'tensorflow/include/tensorflow/c/c_api.h': 'c',
  'tensorflow/include/tensorflow/c/eager/c_api.h': 'eager',
  'tensorflow/include/tsl/platform/ctstring.h': 'ctstring',
  'tensorflow/include/xla/tsl/c/tsl_status.h': 'status',
};
const OTHERS = {
  'tensorflow/include/external/eigen/Eigen.h': 'unneeded',
  'tensorflow/python/framework.py': 'unneeded',
};

async function wheelOf(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  const wheel = join(folder, 'tensorflow_cpu.whl');
  await pipeline(zip.outputStream, createWriteStream(wheel));
  return wheel;
}

const { unpack } = (await import(pathToFileURL(join(scripts, 'tfjs-node/take-from-wheel.js')).href)) as {
  unpack(wheel: string, deps: string): Promise<void>;
};

test('lays out of a wheel what the build of the addon expects', async (t) => {
  const folder = await folderOf(t);
  const deps = join(folder, 'deps');
  await unpack(await wheelOf(folder, { ...LIBRARIES, ...HEADERS, ...OTHERS }), deps);
  assert.deepEqual(readdirSync(join(deps, 'lib')).sort(), [
    'libtensorflow.so',
    'libtensorflow.so.2',
    'libtensorflow_cc.so.2',
    'libtensorflow_framework.so',
    'libtensorflow_framework.so.2',
  ]);
  assert.equal(await readFile(join(deps, 'lib/libtensorflow.so'), 'utf8'), 'cc');
  // Relative: the folder is moved afterwards.
  assert.equal(await readlink(join(deps, 'lib/libtensorflow.so.2')), 'libtensorflow_cc.so.2');
  for (const [name, text] of Object.entries(HEADERS)) {
    assert.equal(await readFile(join(deps, name.slice('tensorflow/'.length)), 'utf8'), text);
  }
  assert.deepEqual(readdirSync(join(deps, 'include')).sort(), ['LICENSE', 'tensorflow', 'tsl', 'xla']);
});

test('names what a wheel lacks', async (t) => {
  const folder = await folderOf(t);
  const wheel = await wheelOf(folder, { ...HEADERS, 'tensorflow/libtensorflow_cc.so.2': 'cc' });
  await assert.rejects(unpack(wheel, join(folder, 'deps')), {
    message: 'the wheel lacks lib/libtensorflow_framework.so.2',
  });
});
