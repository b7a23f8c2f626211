import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetortError } from '../../src/errors.ts';
import { judgeCandidates, type Trial } from '../../src/pipeline/choice/judge-candidates.ts';
import { autoCandidates, type Candidate } from '../../src/spec/auto-candidates.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';

const ROWS = 1000;
const known = autoCandidates({ hasLabels: true, classes: 10 });
const candidateOf = (method: string, seed = 0): Candidate =>
  known.find((each) => each.method === method && each.seed === seed)!;

/** Right on the first `right` rows: two candidates disagree on as many rows as their scores differ by. */
const trial = (method: string, right: number, seed = 0): Trial => ({
  candidate: candidateOf(method, seed),
  hits: Uint8Array.from({ length: ROWS }, (_, row) => Number(row < right)),
});

/** Scores of kd, kd-standardized, dkd, wttm, control and kd's other seed. */
const judged = (kd: number, standardized: number, dkd: number, wttm: number, control: number, twin: number) =>
  judgeCandidates([
    trial('kd', kd),
    trial('kd-standardized', standardized),
    trial('dkd', dkd),
    trial('wttm', wttm),
    trial('control', control),
    trial('kd', twin, 1),
  ]);

const verdicts = ({ evidence }: ReturnType<typeof judged>) =>
  Object.fromEntries(evidence.map(({ method, verdict }) => [method, verdict]));

test('of the safe two the better is taken, however little it wins; a fancier loss has to win by more than seeds make', () => {
  const found = judged(600, 602, 615, 610, 500, 620);
  assert.equal(found.method, 'kd-standardized');
  assert.ok(Math.abs(found.seedSpread! - 0.02) < 1e-12);
  assert.deepEqual(verdicts(found), {
    kd: 'reference',
    'kd-standardized': 'chosen',
    dkd: 'within noise',
    wttm: 'within noise',
    control: 'worse',
    'kd, another seed': 'what a seed makes',
  });
  assert.match(
    found.reason,
    /^kd-standardized: no fancier loss won by more than noise; it is better than the/,
  );
});

test('a fancier loss that wins by more is promoted, the best of them', () => {
  const found = judged(600, 602, 625, 640, 500, 620);
  assert.equal(found.method, 'wttm');
  assert.deepEqual(found.terms, candidateOf('wttm').terms);
  assert.equal(verdicts(found).dkd, 'better, but not the best');
  assert.match(
    found.reason,
    /^wttm won over kd-standardized by more than noise \(\+3.80 points, noise 2.00\)/,
  );
});

test('where the control is as good it is said that none helps, and distillation is kept', () => {
  const found = judged(600, 590, 600, 600, 605, 620);
  assert.equal(found.method, 'kd');
  assert.match(found.reason, /none helps: the control was as good \(-0.50 points, noise 2.00\)/);
  assert.equal(verdicts(found).control, 'within noise');
});

test('where the control is better by more than noise the labels alone are learned', () => {
  const found = judged(600, 590, 600, 600, 650, 610);
  assert.equal(found.method, 'control');
  assert.deepEqual(
    found.terms.map(({ loss }) => loss),
    ['cross-entropy'],
  );
  assert.match(found.reason, /^none helps: the control was better than kd \(\+5.00 points/);
});

test('noise of the rows is that of pairs: rows both get right or wrong say nothing', () => {
  // kd alone right on 30 rows, dkd alone on 50: sqrt(80 - 400 / 1000) / 1000 = 0.00892.
  const kd = Uint8Array.from({ length: ROWS }, (_, row) => Number(row < 30 || row >= 500));
  const dkd = Uint8Array.from({ length: ROWS }, (_, row) => Number((row >= 30 && row < 80) || row >= 500));
  const found = judgeCandidates([
    { candidate: candidateOf('kd'), hits: kd },
    { candidate: candidateOf('kd', 1), hits: kd },
    { candidate: candidateOf('dkd'), hits: dkd },
  ]);
  const { difference, noise } = found.evidence[2]!;
  assert.ok(Math.abs(difference! - 0.02) < 1e-12 && Math.abs(noise! - Math.sqrt(79.6) / 1000) < 1e-12);
  assert.equal(found.method, 'dkd');
});

test('a candidate that fails is out; where the safe ones fail the best of the rest is taken', () => {
  const failed = (method: string): Trial => ({
    candidate: candidateOf(method),
    failure: 'diverged at step 3',
  });
  const found = judgeCandidates([
    failed('kd'),
    failed('kd-standardized'),
    trial('dkd', 600),
    trial('control', 300),
  ]);
  assert.equal(found.method, 'dkd');
  assert.equal(found.seedSpread, null);
  assert.equal(found.evidence[0]!.verdict, 'failed: diverged at step 3');
  assert.throws(
    () => judgeCandidates([failed('kd'), failed('control')]),
    (error: RetortError) => error instanceof RetortError && error.code === 'TRAIN_DIVERGED',
  );
});

test('without validation rows plain KD is taken: nothing speaks against it', () => {
  const empty = ['kd', 'wttm', 'control'].map((method) => ({
    candidate: candidateOf(method),
    hits: new Uint8Array(),
  }));
  assert.equal(judgeCandidates(empty).method, 'kd');
});

test('without labels only what needs none is tried, with two classes only what says anything of them', () => {
  const names = (hasLabels: boolean, classes: number) =>
    autoCandidates({ hasLabels, classes }).map(({ method, seed }) => `${method}/${seed}`);
  assert.deepEqual(names(true, 10), ['kd/0', 'kd-standardized/0', 'dkd/0', 'wttm/0', 'control/0', 'kd/1']);
  assert.deepEqual(names(false, 10), ['kd/0', 'kd-standardized/0', 'dkd-label-free/0', 'wttm/0', 'kd/1']);
  assert.deepEqual(names(true, 2), ['kd/0', 'dkd/0', 'wttm/0', 'control/0', 'kd/1']);
  for (const { terms } of autoCandidates({ hasLabels: false, classes: 10 })) {
    assert.ok(terms.every(({ loss }) => loss !== 'cross-entropy' && loss !== 'dkd'));
  }
});

test('a spec that leaves the method open gives neither objective nor strategy', () => {
  const facilities = {
    kernels: { onnxruntime: { available: true } },
    devices: { cpu: { available: true } },
  };
  const resolve = (more: object) =>
    resolveSpec(parseSpec({ version: 1, method: 'auto', ...more }), facilities);
  assert.equal(resolve({}).method, 'auto');
  for (const more of [{ objective: { alpha: 0.5 } }, { strategy: { name: 'self' } }]) {
    assert.throws(() => resolve(more), { code: 'SPEC_INVALID' });
  }
});
