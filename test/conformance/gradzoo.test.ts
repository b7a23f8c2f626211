import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { onnxruntimeKernel } from '../../src/adapters/kernels/onnxruntime.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { checkCase } from '../../src/core/gradcheck/check-case.ts';
import type { GradientCase } from '../../src/core/gradcheck/gradient-case.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { fixture } from '../support/fixtures.ts';

// Exported architectures with gradients from PyTorch in float64: an independent witness of the rules in concert.

const names = [
  'conv3d',
  'densenet_slim',
  'dscnn_audio',
  'dueling_dqn',
  'mobilenetv2_035',
  'resnet18_slim_op18',
  'resnet18d_slim',
  'resnet50_slim',
  'squeezenet_slim',
  'superres_pixelshuffle',
  'unet',
];

for (const name of names) {
  test(name, async (t) => {
    const folder = fixture(join('gradzoo', name));
    if (!folder) return t.skip('no shared fixtures');
    const reference = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as GradientCase;
    const model = decodeModel(gunzipSync(readFileSync(join(folder, 'model.onnx.gz'))));
    const verdict = await checkCase(model, reference, onnxruntimeKernel(onnxruntime));
    assert.deepEqual(verdict.problems, []);
    assert.ok(verdict.worst < 2e-3);
  });
}
