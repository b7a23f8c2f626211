import { load } from './load.ts';
import { methods } from './methods.ts';
import { profile } from './profile.ts';
import { real } from './real.ts';
import { drain, status } from './service.ts';
import { teach } from './teach.ts';
import { train } from './train.ts';
import { upload } from './upload.ts';

/** `npm run bench -- NAME [options]`: one measurement per name; each prints JSON lines. */
const benches: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  drain,
  load,
  methods,
  profile,
  real,
  status,
  teach,
  train,
  upload,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).sort().join('|')} [options]`);
  process.exit(64);
}
await bench(args);
