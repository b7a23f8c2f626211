import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxruntimeDevices } from '../../src/adapters/runtime/onnxruntime-devices.ts';

const cuda = (backends: string[], folder: string) =>
  onnxruntimeDevices(backends, folder).find(({ device }) => device === 'cuda');

test('CUDA is available only where its files lie and load', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'retort-devices-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.match(cuda(['cpu'], folder)?.why ?? '', /no CUDA support/);
  if (process.platform !== 'linux') return t.skip('library names of Linux');
  assert.match(cuda(['cpu', 'cuda'], folder)?.why ?? '', /providers_shared\.so is not installed/);
  writeFileSync(join(folder, 'libonnxruntime_providers_shared.so'), '');
  assert.match(cuda(['cpu', 'cuda'], folder)?.why ?? '', /providers_cuda\.so is not installed/);
  // An empty file is no library: without a driver that is the reason, with one the loader's verdict.
  writeFileSync(join(folder, 'libonnxruntime_providers_cuda.so'), '');
  assert.equal(cuda(['cpu', 'cuda'], folder)?.available, false);
});
