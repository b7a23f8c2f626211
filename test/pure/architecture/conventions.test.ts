import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const DEFAULT = 'test/conformance/conventions.test.ts';

/** The file a cell of docs/conventions.md names, and the titles (or their beginnings) in it. */
function named(cell: string): { readonly file: string; readonly titles: readonly string[] } {
  const [, given, rest] = /^`([^`]+)`: (.*)$/.exec(cell) ?? [];
  const file = given === undefined ? DEFAULT : given.includes('/') ? given : `test/conformance/${given}`;
  return { file, titles: (rest ?? cell).split('; ') };
}

test('every convention names tests that exist', () => {
  const rows = readFileSync(join(root, 'docs/conventions.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.split('|')[2]!.trim());
  assert.ok(rows.length > 15, `${rows.length} conventions`);
  for (const { file, titles } of rows.map(named)) {
    const path = join(root, file);
    assert.ok(existsSync(path), `there is no ${file}`);
    const text = readFileSync(path, 'utf8');
    for (const title of titles) assert.ok(text.includes(title), `${file} has no test "${title}"`);
  }
});
