import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fixture } from '../support/fixtures.ts';
import { onnxFiles } from '../support/onnx-files.ts';
import { sameOutputs } from '../support/same-outputs.ts';

const files = onnxFiles('teachers', 'gradzoo');
if (files.size === 0) test('real files', (t) => t.skip('no shared fixtures'));

/** What open dimensions must be where 2 does not do. */
const sizes: Readonly<Record<string, Record<string, number | number[]>>> = {
  'teachers/silero-vad-16k-op15': { batch: 1, sequence: 512 },
  'teachers/rl-godot-flyby': { batch_size: 1 },
};
const text = 'teachers/spam-lr-tfidf';

for (const [name, read] of files) {
  if (name === text) continue;
  test(`${name}: the same outputs after decoding and encoding`, async () => {
    await sameOutputs(read(), sizes[name] ?? {});
  });
}

// Its StringNormalizer wants the locale en_US.UTF-8, which bare machines lack; C.utf8 under that name will do.
test(`${text}: the same outputs after decoding and encoding`, (t) => {
  const file = fixture(`fixtures/${text}/model.onnx`);
  if (!file) return t.skip('no shared fixtures');
  const plain = '/usr/lib/locale/C.utf8';
  if (!existsSync(plain)) return t.skip(`the model needs a locale, and there is no ${plain} to lend it`);
  const folder = mkdtempSync(join(tmpdir(), 'retort-locale-'));
  try {
    cpSync(plain, join(folder, 'en_US.UTF-8'), { recursive: true });
    const child = fileURLToPath(new URL('../support/same-outputs-child.ts', import.meta.url));
    const done = spawnSync(process.execPath, ['--import', 'tsx', child, file, '{}'], {
      env: { ...process.env, LOCPATH: folder },
      encoding: 'utf8',
    });
    assert.equal(done.stderr, '');
    assert.match(done.stdout, /^compared [1-9]/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
