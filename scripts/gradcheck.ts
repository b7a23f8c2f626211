// Checks our gradients of real exported graphs against reference gradients: one folder per case.
// usage: npm run --silent gradcheck -- DIR [--kernel onnxruntime|tfjs]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { kernelsOn } from '../src/adapters/kernels/index.ts';
import { onnxruntime } from '../src/adapters/runtime/onnxruntime.ts';
import { checkCase } from '../src/core/gradcheck/check-case.ts';
import type { GradientCase } from '../src/core/gradcheck/gradient-case.ts';
import { decodeModel } from '../src/core/onnx/decode.ts';
import { RetortError } from '../src/errors.ts';

const UNSUPPORTED = ['GRAD_MISSING_RULE', 'ONNX_UNSUPPORTED', 'TRAIN_UNSUPPORTED'];

const usage = (problem: string): never => {
  console.error(`${problem}\nusage: npm run --silent gradcheck -- DIR [--kernel onnxruntime|tfjs]`);
  process.exit(64);
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kernel: { type: 'string', default: 'onnxruntime' } },
});
const folder = positionals[0] ?? usage('no folder given');
if (!existsSync(folder)) usage(`there is no folder ${folder}`);
const kernels = kernelsOn(onnxruntime);
const kernel = kernels[values.kernel as keyof typeof kernels] ?? usage(`no kernel "${values.kernel}"`);

const cases = readdirSync(folder)
  .sort()
  .filter((name) => existsSync(join(folder, name, 'case.json')));
if (cases.length === 0) usage(`${folder} holds no case folders (case.json, model.onnx.gz)`);

const counts = { pass: 0, fail: 0, unsupported: 0 };
for (const name of cases) {
  const { verdict, worst, notes } = await check(name);
  counts[verdict]++;
  console.log(`${verdict} ${name} ${worst}`);
  for (const note of notes.slice(0, 5)) console.error(`  ${name}: ${note}`);
}
console.log(`${counts.pass} passed, ${counts.fail} failed, ${counts.unsupported} unsupported`);
process.exitCode = counts.fail === 0 ? 0 : 1;

async function check(name: string) {
  try {
    const reference = JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as GradientCase;
    const model = decodeModel(gunzipSync(readFileSync(join(folder, name, 'model.onnx.gz'))));
    const { passed, worst, problems } = await checkCase(model, reference, kernel);
    return { verdict: passed ? 'pass' : 'fail', worst: worst.toExponential(2), notes: problems } as const;
  } catch (error) {
    const known = error instanceof RetortError ? error : undefined;
    const verdict = known && UNSUPPORTED.includes(known.code) ? 'unsupported' : 'fail';
    const text = known ? `${known.code} ${known.message}` : String((error as Error)?.stack ?? error);
    return { verdict, worst: '-', notes: [text] } as const;
  }
}
