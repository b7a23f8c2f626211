import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { strategies } from '../../src/core/strategies/index.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const here = { available: true };
const facilities = { kernels: { onnxruntime: here }, devices: { cpu: here } };
const specs = readdirSync(`${examples}specs`).map((name) => `specs/${name}`);

test('there are specs to look at', () => assert.ok(specs.length >= 5));

for (const path of [...specs, 'shapes/spec.json']) {
  test(`examples/${path} is a spec, and resolves to one that learns from the teacher`, () => {
    const { objective } = resolveSpec(
      parseSpec(JSON.parse(readFileSync(examples + path, 'utf8'))),
      facilities,
    );
    assert.ok(objective.terms.some(({ loss }) => loss !== 'cross-entropy'));
  });
}

test('every strategy but the plain one has an example', () => {
  const shown = specs.flatMap((path) => /strategy-(.+)\.json$/.exec(path)?.[1] ?? []);
  assert.deepEqual(
    shown.sort(),
    Object.keys(strategies).filter((name) => name !== 'single-stage'),
  );
  for (const name of shown) {
    const spec = JSON.parse(readFileSync(`${examples}specs/strategy-${name}.json`, 'utf8'));
    assert.equal(spec.strategy.name, name);
  }
});

test('the specs in the README are some', () => {
  const text = readFileSync(`${examples}../README.md`, 'utf8');
  const written = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json!));
  const [whole, layers] = written.map((spec) => resolveSpec(parseSpec(spec), facilities));
  assert.equal(whole!.student.kind, 'architecture');
  assert.deepEqual(
    layers!.objective.terms.map(({ weighing }) => weighing),
    [undefined, 'auto', 'published'],
  );
});

test('what docs/choosing.md says to write is a spec', () => {
  const text = readFileSync(`${examples}../docs/choosing.md`, 'utf8');
  const rows = [...text.matchAll(/\| `("[^\n]*?)`[^`|]*\|$/gm)].map(([, shown]) => shown!);
  const [standardized] = [...text.matchAll(/as published: `([^`]*)`/g)].map(([, shown]) => shown!);
  assert.ok(rows.length >= 10 && standardized);
  for (const shown of [...rows, standardized]) {
    const whole = `{ "version": 1, ${shown.replace('[...]', '[{ "file": "second.onnx" }]')} }`;
    resolveSpec(parseSpec(JSON.parse(whole)), facilities);
  }
});
