// Makes a fresh clone ready: checks Node, installs the locked dependencies and redis-server. Plain JavaScript, since
// nothing is installed when it starts. Does nothing, quickly, when all is in place.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINIMUM = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  console.error(`Retort needs Node ${MINIMUM.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(69);
}

if (!installed()) {
  console.log('Installing dependencies (npm ci) ...');
  // onnxruntime-node's install script would fetch CUDA libraries; the CPU library is inside the package.
  const env = {
    ...process.env,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    npm_config_onnxruntime_node_install: 'skip',
  };
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('npm ci failed; see above. Retort needs the npm registry once, for its dependencies.');
    process.exit(status ?? 1);
  }
}

// Not before: it needs what npm ci installs.
const { setupRedis } = await import('./setup-redis.js');
await setupRedis();

/** Whether node_modules holds exactly what package-lock.json asks for. */
function installed() {
  const record = `${root}node_modules/.package-lock.json`;
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
  );
}
