import { createWriteStream, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { attempt } from './attempt.js';

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** The C library goes by another name in wheels: it is part of the C++ one. */
const LINKS = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  'libtensorflow.so.2': 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
};

/** The C headers and what they include; a wheel has 13,000 more. */
const HEADERS =
  /^tensorflow\/(include\/(?:LICENSE|(?:tensorflow\/(?:c|core\/platform|tsl)|tsl|xla\/tsl)\/.+\.h))$/;

/** Puts libtensorflow and its C headers from a wheel of tensorflow-cpu into a tfjs-node package; returns its name. */
export async function takeFromWheel(folder, tfjsNode) {
  if (process.platform !== 'linux') throw new Error('libtensorflow can be taken from a wheel on Linux only');
  console.log('Fetching a wheel of tensorflow-cpu with pip (about 270 MB) ...');
  const name = download(folder);
  console.log(`Unpacking ${name} ...`);
  await unpack(join(folder, name), join(tfjsNode, 'deps'));
  return name;
}

function download(folder) {
  const pips = [['python3', '-m', 'pip'], ['pip3'], ['pip']];
  const pip = pips.find(
    ([program, ...args]) => !attempt(program, [...args, '--version'], { minutes: 1 }).problem,
  );
  if (!pip) throw new Error('there is no pip to fetch tensorflow-cpu with');
  const [program, ...args] = pip;
  const options = ['--no-deps', '--only-binary=:all:', '--dest', folder];
  const { problem } = attempt(program, [...args, 'download', ...options, 'tensorflow-cpu'], { minutes: 30 });
  if (problem) throw new Error(`pip could not fetch tensorflow-cpu: ${problem}`);
  return readdirSync(folder).find((file) => file.endsWith('.whl'));
}

/** What the addon needs of a wheel, laid out as its build expects: `lib` and `include`. */
export async function unpack(wheel, deps) {
  const { default: yauzl } = await import('yauzl');
  const zip = await promisify(yauzl.open)(wheel, { lazyEntries: true, autoClose: true });
  const open = promisify(zip.openReadStream.bind(zip));
  const missing = new Set(['include/tensorflow/c/c_api.h', ...LIBRARIES.map((name) => `lib/${name}`)]);
  await new Promise((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', resolve);
    zip.on('entry', (entry) => {
      const to = destination(entry.fileName);
      const written = to ? write(entry, join(deps, to)).then(() => missing.delete(to)) : Promise.resolve();
      written.then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });
  if (missing.size > 0) throw new Error(`the wheel lacks ${[...missing].join(', ')}`);
  for (const [link, target] of Object.entries(LINKS)) symlinkSync(target, join(deps, 'lib', link));

  async function write(entry, to) {
    mkdirSync(dirname(to), { recursive: true });
    await pipeline(await open(entry), createWriteStream(to));
  }
}

function destination(name) {
  const library = LIBRARIES.find((each) => name === `tensorflow/${each}`);
  return library ? `lib/${library}` : HEADERS.exec(name)?.[1];
}
