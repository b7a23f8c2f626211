import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge } from '../../bench/methods/judge.ts';
import type { MethodResult } from '../../bench/methods/method-result.ts';
import { LEFT_OUT, METHODS, type Method } from '../../bench/methods/methods.ts';
import { ResultFiles } from '../../bench/methods/result-files.ts';
import { readSetting, specOf } from '../../bench/methods/setting.ts';
import { leftSeconds } from '../../bench/methods/status-line.ts';
import { isBeyondNoise, summarize } from '../../bench/methods/summary.ts';
import { tableText } from '../../bench/methods/table.ts';
import { unlisted } from '../../bench/methods/unlisted.ts';
import { withSection } from '../../bench/methods/write-section.ts';
import { losses } from '../../src/core/losses/index.ts';
import { strategies } from '../../src/core/strategies/index.ts';
import { autoCandidates } from '../../src/spec/auto-candidates.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';

const facilities = {
  kernels: { onnxruntime: { available: true } },
  devices: { cpu: { available: true } },
};
const setting = await readSetting({});
const methodOf = (name: string): Method => METHODS.find((method) => method.name === name)!;

const result = (method: string, seed: number, accuracy: number, more = {}): MethodResult => ({
  method,
  seed,
  spec: {},
  outcome: {
    accuracy: accuracy / 100,
    agreement: 0.5,
    teacher: 0.8,
    validation: 0.5,
    spent: { train: 60, cpu: 100, all: 90 },
    peakMiB: 500,
    engine: 'x',
    ...more,
  },
  tree: 'abc',
  machine: 'm',
  day: '2026-01-01',
});

const table = (figures: Record<string, readonly number[]>) =>
  summarize(
    METHODS,
    Object.entries(figures).flatMap(([name, list]) => list.map((value, seed) => result(name, seed, value))),
  );

for (const method of METHODS) {
  test(`the spec of ${method.name} is one, and all it differs in from the base is its own`, () => {
    const resolved = resolveSpec(parseSpec(specOf(method, setting, 7)), facilities);
    assert.equal(resolved.seed, 7);
    assert.equal(resolved.controls, false);
    assert.equal(resolved.train.optimizer.name, 'sgd');
    assert.deepEqual(resolved.train.length, { epochs: 30 * (method.epochs ?? 1) });
    const reads = resolved.phases.flatMap(({ terms }) => terms.map(({ loss }) => losses[loss as 'kl'].needs));
    const readsLabels = reads.some((needs) => needs.some((need: string) => need === 'labels'));
    assert.equal(readsLabels, !method.isLabelFree);
  });
}

test('what no row measures is named in the table, and nothing is both a row and left out', () => {
  const rows = METHODS.map((method) => resolveSpec(parseSpec(specOf(method, setting, 0)), facilities));
  const shown = rows.flatMap(({ objective, strategy }) => [
    strategy.name,
    ...objective.terms.map(({ loss }) => loss),
  ]);
  for (const name of unlisted()) assert.ok(!shown.includes(name), name);
  for (const name of [...Object.keys(losses), ...Object.keys(strategies)]) {
    assert.ok(shown.includes(name) || LEFT_OUT[name] || unlisted().includes(name), name);
  }
  for (const name of Object.keys(LEFT_OUT)) {
    assert.ok(name in losses || name in strategies, `${name} is gone`);
  }
});

test('differences are paired by seed, over the seeds that both have', () => {
  const [, , dkd] = table({ control: [60, 62, 64], kd: [65, 67], dkd: [66, 67, 70] });
  assert.deepEqual(dkd!.seeds, [0, 1, 2]);
  assert.equal(dkd!.toControl!.mean.toFixed(6), (17 / 3).toFixed(6));
  assert.equal(dkd!.toPlain!.mean.toFixed(6), '0.500000');
  assert.equal(dkd!.toPlain!.deviation!.toFixed(6), Math.SQRT1_2.toFixed(6));
  assert.equal(dkd!.accuracy!.deviation!.toFixed(4), '2.0817');
});

test('time is the least of the seeds, memory the most', () => {
  const [row] = summarize(METHODS, [
    result('kd', 0, 60, { spent: { train: 120, cpu: 180, all: 0 }, peakMiB: 700 }),
    result('kd', 1, 60, { spent: { train: 90, cpu: 240, all: 0 }, peakMiB: 600 }),
  ]);
  assert.deepEqual([row!.minutes, row!.cpuMinutes, row!.peakMiB], [1.5, 3, 700]);
});

test('a difference is beyond the noise of seeds by the t of its degrees of freedom, never with one seed', () => {
  // 4.303 * 1 / sqrt(3) = 2.484.
  assert.equal(isBeyondNoise({ mean: -2.5, deviation: 1, count: 3 }), true);
  assert.equal(isBeyondNoise({ mean: 2.4, deviation: 1, count: 3 }), false);
  assert.equal(isBeyondNoise({ mean: 50, deviation: null, count: 1 }), false);
});

test('what auto tries is what the rows of these names train, so that a bench trains it once', () => {
  const base = { version: 1, student: { architecture: 'mlp', hidden: [4] } };
  for (const { method, terms } of autoCandidates({ hasLabels: true, classes: 10 })) {
    const { spec } = METHODS.find(({ name }) => name === method)!;
    const { objective, phases } = resolveSpec(parseSpec({ ...base, ...spec }), facilities);
    assert.deepEqual(objective.terms, terms, method);
    assert.equal(phases.length, 1);
  }
});

test('what is expected and missed is named; what is not in the table is not judged', () => {
  assert.deepEqual(judge(table({ control: [60], kd: [65], dkd: [64.1], 'kd-standardized': [65] })), []);
  const missed = judge(table({ kd: [65], dkd: [63.9], 'kd-standardized': [64.9], 'label-free': [63.4] }));
  assert.match(missed.join('\n'), /^dkd: -1.10 points.*\nkd-standardized: -0.10.*\nlabel-free: -1.60/);
  const auto = { kd: [65], dkd: [67], auto: [66], 'function-matching': [72] };
  assert.match(
    judge(table(auto)).join('\n'),
    /^auto: 66.00, .* 67.00 of dkd \(what trained longer left out\)$/,
  );
  assert.deepEqual(judge(table({ ...auto, auto: [66.6] })), []);
  const strange = summarize(
    [{ ...methodOf('dkd'), explanation: 'its weight was not warmed up' }, methodOf('kd')],
    [result('kd', 0, 65), result('dkd', 0, 60)],
  );
  assert.deepEqual(judge(strange), [], 'an explanation is enough');
});

test('a failed run is in the table and among what is missed', () => {
  const failed: MethodResult = { ...result('dist', 1, 0), outcome: { error: 'TRAIN_DIVERGED: step 3' } };
  const results = [result('kd', 0, 65), result('dist', 0, 66), failed];
  const rows = summarize(METHODS, results);
  const missed = judge(rows);
  assert.deepEqual(missed, ['dist failed, seed 1: TRAIN_DIVERGED: step 3']);
  const text = tableText(rows, results, setting, missed);
  assert.match(text, /\| `dist` \| 66.00 \| - \| \+1.00 \|/);
  assert.match(text, /- \*\*dist\*\* failed, seed 1: TRAIN_DIVERGED/);
});

test('the table says which methods lose, and that a short setting says little', async () => {
  const results = [result('control', 0, 60), result('kd', 0, 59), result('dkd', 0, 58)];
  const rows = summarize(METHODS, results);
  const full = tableText(rows, results, setting, []);
  assert.match(full, /- Below plain KD: dkd \(-1.00\)\./);
  assert.match(full, /worse than no teacher: dkd \(-2.00\), kd \(-1.00\)\./);
  assert.doesNotMatch(full, /too short/);
  const [, waiting = ''] = /^Not measured: (.*)\.$/m.exec(full) ?? [];
  assert.ok(waiting.includes('data-free') && !waiting.split(', ').includes('dkd'), waiting);
  assert.match(tableText(rows, results, await readSetting({ quick: true }), []), /too short to tell/);
});

test('the results that are kept are of methods that there are, each once', async () => {
  const path = fileURLToPath(new URL('../../bench/methods/results.jsonl', import.meta.url));
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const found = lines.map((line) => JSON.parse(line) as MethodResult);
  for (const { method, seed, spec } of found) {
    assert.deepEqual(spec, JSON.parse(JSON.stringify(specOf(methodOf(method), setting, seed))), method);
  }
  assert.equal(new Set(found.map(({ method, seed }) => `${method} ${seed}`)).size, found.length);
});

test('a result counts for the very spec it was made by', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'retort-methods-'));
  try {
    const files = new ResultFiles(join(folder, 'results.jsonl'), join(folder, 'unfinished'));
    assert.equal(await files.find('kd', 0, {}), undefined);
    await files.keep({ ...result('kd', 0, 65), spec: { a: 1 } });
    assert.equal((await files.find('kd', 0, { a: 1 }))?.method, 'kd');
    assert.equal(await files.find('kd', 0, { a: 2 }), undefined);
    await files.keep({ ...result('kd', 1, 66), spec: { a: 1 } });
    await files.keep({ ...result('kd', 0, 67), spec: { a: 2 } });
    assert.equal(await files.find('kd', 0, { a: 1 }), undefined);
    assert.deepEqual((await files.find('kd', 0, { a: 2 }))?.outcome, result('kd', 0, 67).outcome);
    assert.equal((await files.find('kd', 1, { a: 1 }))?.seed, 1);
    await files.keepSpent('kd', 0, { a: 1 }, { train: 5, cpu: 6, all: 7 });
    assert.equal((await files.spent('kd', 0, { a: 1 })).train, 5);
    assert.equal((await files.spent('kd', 0, { a: 2 })).train, 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the time left goes by the length of the runs', () => {
  const [kd, self] = [methodOf('kd'), methodOf('self')];
  assert.equal(leftSeconds([], [kd]), undefined);
  assert.equal(leftSeconds([{ method: kd, seconds: 100 }], [kd, self]), 300);
});

test('docs/methods.md has one place for the table, and nothing else of it is touched', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/methods.md', import.meta.url)), 'utf8');
  const once = withSection(document, 'A TABLE');
  assert.match(once, /-->\n\nA TABLE\n\n<!--/);
  assert.equal(withSection(withSection(document, 'OTHER'), 'A TABLE'), once);
  assert.throws(() => withSection('no markers', 'x'), /no section/);
});
