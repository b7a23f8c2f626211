import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { checkModel } from '../../src/core/onnx/check.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { onnxFiles } from '../support/onnx-files.ts';
import { canonical, witnessRead } from '../support/onnx-witness.ts';

const files = onnxFiles('teachers', 'onnx-negative', 'gradzoo');
if (files.size === 0) test('real files', (t) => t.skip('no shared fixtures'));

/** Its exporter lists three Pad nodes after their readers. */
const unordered = 'onnx-negative/pcb-aoi-winml';

for (const [name, read] of files) {
  test(`${name}: read, written and read again it is the same; protobufjs sees the same file`, () => {
    const file = read();
    const model = decodeModel(file);
    const written = encodeModel(model);
    assert.ok(isDeepStrictEqual(decodeModel(written), model), 'the model changed');
    assert.ok(isDeepStrictEqual(encodeModel(decodeModel(written)), written), 'the bytes changed');
    assert.deepEqual(canonical(witnessRead(written)), canonical(witnessRead(file)));
    const problems = checkModel(model);
    if (name !== unordered) assert.deepEqual(problems, []);
    else assert.equal(problems.filter(({ message }) => message.includes('made only later')).length, 3);
  });
}
