import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from '../../support/source-files.ts';

const LIMIT = 300;

test(`no file of src/ and workers/ is longer than ${LIMIT} lines, but what is generated`, () => {
  const long = sourceFiles()
    .filter((file) => !file.path.endsWith('.gen.ts'))
    .map((file) => ({ path: file.path, lines: file.text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LIMIT)
    .map(({ path, lines }) => `${path}: ${lines}`);
  assert.deepEqual(long, []);
});

test('files and folders of src/ and workers/ are named in kebab case', () => {
  const odd = sourceFiles()
    .map((file) => file.path)
    .filter((path) => !/^(src|workers)(\/[a-z0-9]+(-[a-z0-9]+)*)+(\.gen)?\.ts$/.test(path));
  assert.deepEqual(odd, []);
});
