import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generate, generatedFile, protoFile } from '../../../scripts/gen-onnx-fields.ts';

test('the field table is what the schema gives (npm run gen)', () => {
  assert.equal(readFileSync(generatedFile, 'utf8'), generate(readFileSync(protoFile, 'utf8')));
});
