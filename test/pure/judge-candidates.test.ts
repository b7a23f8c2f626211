import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/core/random.ts';
import { RetortError } from '../../src/errors.ts';
import { judgeCandidates, type Trial } from '../../src/pipeline/choice/judge-candidates.ts';
import { methodChoice } from '../../src/pipeline/choice/method-choice.ts';
import { autoCandidates, type Candidate, wholeRound } from '../../src/spec/auto-candidates.ts';
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

type Scores = Readonly<Record<string, number>>;

/** Trials by the rows that each gets right; `twin` is plain KD with another seed. */
const trials = (scores: Scores): readonly Trial[] =>
  Object.entries(scores).map(([name, right]) =>
    name === 'twin' ? trial('kd', right, 1) : trial(name, right),
  );

/** Both rounds by their scores, as the stage makes them: the short one says who goes on. */
function chosen(shortScores: Scores, wholeScores: Scores) {
  const short = judgeCandidates(trials(shortScores));
  const goOn = [short.safe, short.chosen].flatMap((each) => each?.candidate ?? []);
  const names = wholeRound(known, goOn).map(({ method }) => method);
  assert.deepEqual(Object.keys(wholeScores), names, 'these are tried on the full length');
  return methodChoice(short, judgeCandidates(trials(wholeScores), short.seedSpread), 0.25);
}

const verdicts = ({ evidence }: ReturnType<typeof chosen>) =>
  evidence.map(({ method, share, verdict }) => `${method} ${share}: ${verdict}`);

test('of the safe two the better goes on, however little it wins; it is kept where fancier losses win by less than noise', () => {
  const found = chosen(
    { kd: 600, 'kd-standardized': 602, control: 500, twin: 620 },
    { 'kd-standardized': 700, dkd: 715, wttm: 720 },
  );
  assert.equal(found.method, 'kd-standardized');
  assert.deepEqual(found.terms, candidateOf('kd-standardized').terms);
  assert.ok(Math.abs(found.seedSpread! - 0.02) < 1e-12);
  assert.equal(found.rows, ROWS);
  assert.deepEqual(verdicts(found), [
    'kd 0.25: reference',
    'kd-standardized 0.25: goes on',
    'control 0.25: worse',
    'kd, another seed 0.25: what a seed makes',
    'kd-standardized 1: chosen',
    'dkd 1: within noise',
    'wttm 1: within noise',
  ]);
  assert.equal(
    found.reason,
    'kd-standardized: no fancier loss won by more than noise on the full length; kd-standardized was better than the control on 25 % of the length (+10.20 points, noise 2.00)',
  );
});

test('a fancier loss that wins by more than the seeds of the short round make is promoted, the best of them', () => {
  const found = chosen(
    { kd: 600, 'kd-standardized': 590, control: 500, twin: 620 },
    { kd: 700, dkd: 725, wttm: 740 },
  );
  assert.equal(found.method, 'wttm');
  assert.deepEqual(found.terms, candidateOf('wttm').terms);
  assert.deepEqual(verdicts(found).slice(-3), [
    'kd 1: reference',
    'dkd 1: better, but not the best',
    'wttm 1: chosen',
  ]);
  assert.match(
    found.reason,
    /^wttm won over kd by more than noise on the full length \(\+4.00 points, noise 2.00\); kd was better than the control on 25 %/,
  );
});

test('where the control is as good on the short schedule it is said that none helps, and distillation is kept', () => {
  const short = { kd: 600, 'kd-standardized': 590, control: 605, twin: 620 };
  const safe = chosen(short, { kd: 700, dkd: 700, wttm: 700 });
  assert.equal(safe.method, 'kd');
  assert.match(
    safe.reason,
    /; none helps: the control was as good on 25 % of the length \(-0.50 points, noise 2.00\), distillation is kept/,
  );
  assert.ok(verdicts(safe).includes('control 0.25: within noise'));
  // What won on the full length helps.
  const fancier = chosen(short, { kd: 700, dkd: 700, wttm: 730 });
  assert.match(
    fancier.reason,
    /; the control was as good on 25 % of the length \(-0.50 points, noise 2.00\)$/,
  );
});

test('a control that is better on the short schedule is tried on the full length, and taken where it is better there', () => {
  const short = { kd: 600, 'kd-standardized': 590, control: 650, twin: 610 };
  const alone = chosen(short, { kd: 600, dkd: 600, wttm: 600, control: 650 });
  assert.equal(alone.method, 'control');
  assert.deepEqual(
    alone.terms.map(({ loss }) => loss),
    ['cross-entropy'],
  );
  assert.ok(verdicts(alone).includes('control 0.25: goes on'));
  assert.ok(verdicts(alone).includes('control 1: chosen'));
  assert.match(
    alone.reason,
    /^none helps: the control was better than kd on the full length \(\+5.00 points/,
  );

  const equal = chosen(short, { kd: 700, dkd: 600, wttm: 600, control: 705 });
  assert.equal(equal.method, 'kd');
  assert.match(
    equal.reason,
    /; the control was better on 25 % of the length; none helps: the control was as good on the full \(-0.50 points/,
  );

  // It would have to replace the fancier loss, not the safe one.
  const beaten = chosen(short, { kd: 600, dkd: 600, wttm: 700, control: 650 });
  assert.equal(beaten.method, 'wttm');
  assert.match(beaten.reason, /; it is better than the control on the full \(\+5.00 points, noise 1.00\)$/);
});

test('noise of the rows is that of pairs: rows both get right or wrong say nothing', () => {
  // kd alone right on 30 rows, dkd alone on 50: sqrt(80 - 400 / 1000) / 1000 = 0.00892.
  const kd = Uint8Array.from({ length: ROWS }, (_, row) => Number(row < 30 || row >= 500));
  const dkd = Uint8Array.from({ length: ROWS }, (_, row) => Number((row >= 30 && row < 80) || row >= 500));
  const both = [
    { candidate: candidateOf('kd'), hits: kd },
    { candidate: candidateOf('dkd'), hits: dkd },
  ];
  const { chosen, safe, compare } = judgeCandidates(both, 0.001);
  const { difference, noise } = compare(chosen!, safe!);
  assert.ok(Math.abs(difference - 0.02) < 1e-12 && Math.abs(noise! - Math.sqrt(79.6) / 1000) < 1e-12);
  assert.equal(chosen!.candidate.method, 'dkd');
  // The seeds of the round before make more.
  assert.equal(judgeCandidates(both, 0.02).chosen!.candidate.method, 'kd');
});

const failed = (method: string): Trial => ({
  candidate: candidateOf(method),
  failure: 'diverged at step 3',
});

test('while it is unknown what seeds make nothing takes the place of the safe one, and the reason says so', () => {
  for (const seed of [0, 1]) {
    const twins = [trial('kd', 600, 1 - seed), { ...failed('kd'), candidate: candidateOf('kd', seed) }];
    const short = judgeCandidates([...twins, trial('kd-standardized', 600), trial('control', 800)]);
    assert.equal(short.seedSpread, null);
    const safe = short.safe!.candidate.method;
    assert.equal(safe, seed === 0 ? 'kd-standardized' : 'kd');
    assert.equal(short.chosen, short.safe, 'the control does not go on');
    const whole = [trial(safe, 700), trial('dkd', 690), trial('wttm', 800)];
    const found = methodChoice(short, judgeCandidates(whole, null), 0.25);
    assert.equal(found.method, safe);
    assert.equal(
      found.reason,
      `${safe}: what a seed makes is unknown, for plain KD could not be trained with two, so nothing takes its place; ${safe} against the control on 25 % of the length: -20.00 points, noise unknown`,
    );
    assert.deepEqual(
      found.evidence.slice(-2).map(({ noise, verdict }) => [noise, verdict]),
      Array(2).fill([null, 'noise unknown']),
    );
  }
  // The same trials with a spread that is known promote it.
  const known = judgeCandidates([trial('kd', 700), trial('dkd', 690), trial('wttm', 800)], 0.01);
  assert.equal(known.chosen!.candidate.method, 'wttm');
});

test('of two fancier losses as good as plain KD one is promoted in a fifth of all choices (docs/adr/0011)', () => {
  const random = new Random(11, 'equally good');
  const flipped = (right: Uint8Array): Uint8Array =>
    right.map((hit) => (random.uniform() < (hit ? 0.12 : 0.28) ? 1 - hit : hit));
  const scoreOf = (hits: Uint8Array): number => hits.reduce((sum, hit) => sum + hit, 0) / hits.length;
  const choices = 400;
  let promoted = 0;
  for (let i = 0; i < choices; i++) {
    const right = Uint8Array.from({ length: 2500 }, () => Number(random.uniform() < 0.7));
    const tried = ['kd', 'dkd', 'wttm'].map((method) => ({
      candidate: candidateOf(method),
      hits: flipped(right),
    }));
    const spread = Math.abs(scoreOf(flipped(right)) - scoreOf(flipped(right)));
    promoted += Number(judgeCandidates(tried, spread).chosen!.candidate.method !== 'kd');
  }
  // 21 % of many; four standard deviations of so few are 8.
  assert.ok(Math.abs(promoted / choices - 0.21) < 0.08, `${promoted} of ${choices}`);
});

test('where the safe ones fail on the short schedule the fancier ones and the control are left', () => {
  const short = judgeCandidates([failed('kd'), failed('kd-standardized'), trial('control', 300)]);
  assert.equal(short.safe, undefined);
  assert.equal(short.seedSpread, null);
  const round = wholeRound(known, [short.chosen!.candidate]);
  assert.deepEqual(
    round.map(({ method }) => method),
    ['dkd', 'wttm', 'control'],
  );
  const whole = judgeCandidates([trial('dkd', 600), failed('wttm'), trial('control', 300)], null);
  const found = methodChoice(short, whole, 0.25);
  assert.equal(found.method, 'dkd');
  assert.equal(found.evidence[0]!.verdict, 'failed: diverged at step 3');
  assert.match(found.reason, /^dkd: no safer distillation could be trained; it is better than the control/);
  const alone = judgeCandidates([failed('dkd'), failed('wttm'), trial('control', 300)], null);
  assert.equal(methodChoice(short, alone, 0.25).method, 'control');
});

test('where nothing can be trained on the full length every failure is told', () => {
  const short = judgeCandidates([trial('kd', 600), failed('control')]);
  assert.throws(
    () => methodChoice(short, judgeCandidates([failed('kd'), failed('dkd')], null), 0.25),
    (error: RetortError) => {
      assert.ok(error instanceof RetortError);
      assert.equal(error.code, 'TRAIN_DIVERGED');
      assert.deepEqual(
        error.problems,
        ['control', 'kd', 'dkd'].map((name) => `${name}: diverged at step 3`),
      );
      return true;
    },
  );
});

test('without validation rows plain KD is taken: nothing speaks against it', () => {
  const empty = ['kd', 'wttm', 'control'].map((method) => ({
    candidate: candidateOf(method),
    hits: new Uint8Array(),
  }));
  assert.equal(judgeCandidates(empty).chosen!.candidate.method, 'kd');
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
