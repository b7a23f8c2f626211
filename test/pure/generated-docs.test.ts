import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generatedDocs } from '../../scripts/generated-docs.ts';
import { readConfig, settingDescriptions } from '../../src/config.ts';

for (const [path, text] of Object.entries(generatedDocs())) {
  test(`${path} says what the code says (npm run gen)`, () => {
    assert.equal(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8'), text);
  });
}

test('an empty environment gives every default; a wrong one is refused with every problem', () => {
  const config = readConfig({ RETORT_PORT: '' });
  for (const { name, fallback } of settingDescriptions)
    assert.equal(config[name as keyof typeof config], fallback, name);
  assert.equal(readConfig({ RETORT_PORT: '0' }).RETORT_PORT, 0);
  assert.throws(() => readConfig({ RETORT_PORT: 'x', RETORT_AUTH: 'maybe' }), {
    code: 'SERVICE_SETUP',
    problems: ['RETORT_PORT must be integer', 'RETORT_AUTH must be equal to one of the allowed values'],
  });
});
