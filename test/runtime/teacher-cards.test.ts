import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelStats } from '../../src/core/onnx/stats.ts';
import { tapLogits } from '../../src/core/onnx/tap-logits.ts';
import { realModels } from '../support/real-models.ts';

const models = new Map(realModels().map((model) => [model.name, model]));
const skip = models.size === 0 && 'no shared fixtures';

/**
 * Parameters as others counted them (the fixtures' provenance, integers that describe shapes left out);
 * multiply-accumulates by hand: two 5x5 convolutions at 28x28 and 14x14, and the classifier.
 */
const cards = [
  { name: 'mnist-cnn-ort', parameters: 5994, macs: 8 * 25 * 28 ** 2 + 16 * 200 * 14 ** 2 + 256 * 10 },
  { name: 'cifar10-resnet56-derived', parameters: 853642 },
  { name: 'hand-keypoint-classifier', parameters: 1103 },
  { name: 'iris-mlp-winml', parameters: 795 },
  { name: 'speech-recog-winml', parameters: 740451 },
  { name: 'squeezenet-fp16-imagenet', parameters: 1235496 },
];

test('the card of a teacher counts parameters and multiply-accumulates', { skip }, () => {
  for (const { name, parameters, macs } of cards) {
    const stats = modelStats(models.get(name)!.load());
    assert.equal(stats.parameters, parameters, name);
    assert.ok(stats.exact, name);
    if (macs) assert.equal(stats.macs, macs, name);
  }
  // ResNet-56 of He et al. 2015: 125.5 million multiply-adds (0.85 M parameters), shortcuts and classifier included here.
  const resnet = modelStats(models.get('cifar10-resnet56-derived')!.load());
  assert.ok(Math.abs(resnet.macs / 125.5e6 - 1) < 0.01, `${resnet.macs}`);
});

const taps = [
  { name: 'hand-keypoint-classifier', post: 'argmax' },
  { name: 'hand-pointhistory-lstm', post: 'softmax' },
  { name: 'magika-standard-v1', post: 'softmax' },
  { name: 'mnist-cnn-ort', post: 'none', tensor: 'Plus214_Output_0' },
  { name: 'mnist-winml-model-2p4M', post: 'softmax' },
  { name: 'squeezenet-fp16-imagenet', post: 'softmax', tensor: 'pool10_1' },
  { name: 'yunet-n-320', post: 'sigmoid' },
];

test('class scores are found in front of softmax, argmax and label look-ups', { skip }, () => {
  for (const { name, post, tensor } of taps) {
    const tap = tapLogits(models.get(name)!.load());
    assert.equal(tap?.post, post, name);
    if (tensor) assert.equal(tap?.tensor, tensor, name);
  }
});
