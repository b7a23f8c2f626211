import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Sha256 } from '../../../src/client/sha256.ts';

const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 167 + 13) & 255);

test('sha256 is that of Node for every length around its blocks', () => {
  for (let length = 0; length <= bytes.length; length++) {
    const data = bytes.subarray(0, length);
    assert.equal(new Sha256().update(data).hex(), createHash('sha256').update(data).digest('hex'));
  }
});

test('sha256 does not depend on how the bytes are cut', () => {
  const want = createHash('sha256').update(bytes).digest('hex');
  for (let step = 1; step <= bytes.length; step++) {
    const hash = new Sha256();
    for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step));
    assert.equal(hash.hex(), want, `pieces of ${step}`);
  }
});
