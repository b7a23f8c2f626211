// npm run demo: sets up what is missing, then runs the demo (examples/shapes/demo.ts).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import './setup.js';

const demo = fileURLToPath(new URL('../examples/shapes/demo.ts', import.meta.url));
const { status } = spawnSync(process.execPath, ['--import', 'tsx', demo, ...process.argv.slice(2)], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
});
process.exit(status ?? 1);
