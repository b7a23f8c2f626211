import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from '../../../src/core/autodiff/rules/index.ts';
import { losses } from '../../../src/core/losses/index.ts';
import { metrics } from '../../../src/core/metrics/index.ts';
import { ops } from '../../../src/core/onnx/ops/index.ts';
import { passes } from '../../../src/core/onnx/passes/index.ts';
import { optimizers } from '../../../src/core/optimizers/index.ts';
import { schedules } from '../../../src/core/schedules/index.ts';
import { strategies } from '../../../src/core/strategies/index.ts';
import { students } from '../../../src/core/students/index.ts';
import { augmentations } from '../../../src/data/augment/index.ts';
import { formats } from '../../../src/data/formats/index.ts';
import { type SourceFile, sourceFiles } from '../../support/source-files.ts';

/** Adding an entry = one file and one registry line; these say when the line was forgotten or misnamed. */

interface Registry {
  readonly folder: string;
  readonly entries: Readonly<Record<string, unknown>>;
  /** Type its entries are declared with: a file that declares one must be registered. */
  readonly type: RegExp;
  /** Why its order is not the alphabet's. */
  readonly order?: string;
  /** Why its names are not in kebab case. */
  readonly names?: string;
}

const registries: readonly Registry[] = [
  { folder: 'src/core/losses', entries: losses, type: /: Loss\b/ },
  {
    folder: 'src/core/metrics',
    entries: metrics,
    type: /: Metric\b/,
    order: 'that of the report',
    names: 'they are keys of report.json',
  },
  { folder: 'src/core/onnx/passes', entries: passes, type: /: Pass\b/ },
  { folder: 'src/core/optimizers', entries: optimizers, type: /: Optimizer\b/ },
  { folder: 'src/core/schedules', entries: schedules, type: /: Schedule\b/ },
  { folder: 'src/core/strategies', entries: strategies, type: /: Strategy\b/ },
  { folder: 'src/core/students', entries: students, type: /: StudentArchitecture\b/ },
  { folder: 'src/data/augment', entries: augmentations, type: /: (Geometric|Mixing)Augmentation\b/ },
  {
    folder: 'src/data/formats',
    entries: formats,
    type: /: DatasetFormat\b/,
    order: 'that in which they are tried',
  },
];

const files = sourceFiles();
const inFolder = (folder: string): SourceFile[] =>
  files.filter(({ path }) => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/'));

/** Files of a folder that its index imports. */
const registered = (folder: string): Set<string> =>
  new Set(files.find(({ path }) => path === `${folder}/index.ts`)!.imports.flatMap(({ file }) => file ?? []));

for (const { folder, entries, type, order, names } of registries) {
  const keys = Object.keys(entries);

  test(`${folder}: has entries, each under its own name`, () => {
    assert.ok(keys.length > 0);
    for (const [key, entry] of Object.entries(entries)) {
      assert.equal((entry as { readonly name?: string }).name ?? key, key);
    }
  });

  test(`${folder}: every file that declares an entry is registered`, () => {
    const declaring = inFolder(folder).filter(({ path, text }) => {
      const exported = text.split('\n').filter((line) => line.startsWith('export const '));
      return !path.endsWith('/index.ts') && exported.some((line) => type.test(line));
    });
    assert.ok(declaring.length >= keys.length, `${declaring.length} files declare ${keys.length} entries`);
    const index = registered(folder);
    assert.deepEqual(
      declaring.map(({ path }) => path).filter((path) => !index.has(path)),
      [],
    );
  });

  test(`${folder}: ${order ? `order is ${order}` : 'sorted'}, ${names ?? 'names in kebab case'}`, () => {
    if (!order) assert.deepEqual(keys, [...keys].sort());
    if (!names)
      assert.deepEqual(
        keys.filter((key) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(key)),
        [],
      );
  });
}

test('every gradient rule file is registered under its operator, once', () => {
  const index = registered('src/core/autodiff/rules');
  const forgotten = inFolder('src/core/autodiff/rules')
    .map(({ path }) => path)
    .filter((path) => !path.endsWith('/index.ts') && !index.has(path));
  assert.deepEqual(forgotten, []);
  for (const [op, rule] of rules) assert.equal(rule.op, op);
});

test('every operator that has a gradient rule has a definition', () => {
  const differentiable = [...rules].filter(([, rule]) => !('stop' in rule)).map(([op]) => op);
  assert.ok(differentiable.length > 50);
  assert.deepEqual(
    differentiable.filter((op) => !ops.has(`/${op}`)),
    [],
  );
});

test('every operator definition is registered under its domain and name', () => {
  const index = registered('src/core/onnx/ops');
  const declaring = inFolder('src/core/onnx/ops').filter(
    ({ path, text }) =>
      !path.endsWith('/index.ts') &&
      /^export const \w+(: readonly OpDefinition\[\] = \[| = define\()/m.test(text),
  );
  assert.ok(declaring.length > 10);
  assert.deepEqual(
    declaring.map(({ path }) => path).filter((path) => !index.has(path)),
    [],
  );
  for (const [key, { op, domain = '' }] of ops) assert.equal(key, `${domain}/${op}`);
});
