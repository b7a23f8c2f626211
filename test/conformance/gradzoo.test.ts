import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { checkCase } from '../../src/core/gradcheck/check-case.ts';
import type { GradientCase } from '../../src/core/gradcheck/gradient-case.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { fixture } from '../support/fixtures.ts';
import { kernels } from '../support/kernels.ts';

// Exported architectures with gradients from PyTorch in float64: an independent witness of the rules in concert.

const folder = fixture('gradzoo');
const names = folder ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'case.json'))) : [];

test('there are exported architectures to check', (t) => {
  if (!folder) return t.skip('no shared fixtures');
  assert.ok(names.length > 0);
});

for (const kernel of kernels) {
  for (const name of names) {
    test(`${kernel.name}, ${name}`, async () => {
      const path = join(folder!, name);
      const reference = JSON.parse(readFileSync(join(path, 'case.json'), 'utf8')) as GradientCase;
      const model = decodeModel(gunzipSync(readFileSync(join(path, 'model.onnx.gz'))));
      const verdict = await checkCase(model, reference, kernel);
      assert.deepEqual(verdict.problems, []);
      assert.ok(verdict.worst < 2e-3);
    });
  }
}
