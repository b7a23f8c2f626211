import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessSandbox } from '../../src/adapters/processes/process-sandbox.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { catalogue, type ErrorCode, RetortError } from '../../src/errors.ts';
import type { Artifact } from '../../src/pipeline/stage.ts';
import type { ModelInspection } from '../../src/pipeline/teacher/inspect-model.ts';
import { failsWith, tarOf, zipOf } from '../support/data-files.ts';
import { externalModel } from '../support/external-model.ts';
import { mutations } from '../support/mutations.ts';
import { onnxFiles } from '../support/onnx-files.ts';
import { withSandbox } from '../support/sandbox.ts';
import { tinyPictures, tinyTeacher } from '../support/tiny-job.ts';

const inspect = (sandbox: ProcessSandbox, model: Artifact, companions: readonly Artifact[] = []) =>
  sandbox.inspectModel({ model, companions });

test('a model is described, external data included', () =>
  withSandbox(async ({ sandbox, put }) => {
    const { card, scores } = await inspect(sandbox, await put('teacher.onnx', tinyTeacher()));
    assert.equal(card.parameters, 8 * 8 * 4 + 4);
    assert.deepEqual(scores, { tensor: 'scores', classes: 4, behind: 'none' });
    const apart = await put('apart.onnx', encodeModel(externalModel('weights.bin')));
    const weights = await put('weights.bin', new Uint8Array(4 * 8));
    assert.equal((await inspect(sandbox, apart, [weights])).card.parameters, 8);
  }));

test('external data outside the upload is refused, whatever else came along', () =>
  withSandbox(async ({ sandbox, put }) => {
    const passwd = await put('passwd', new Uint8Array(64));
    for (const place of ['../../etc/passwd', '/etc/passwd', 'a/../../passwd', '..\\passwd', 'elsewhere']) {
      const model = await put('model.onnx', encodeModel(externalModel(place)));
      await assert.rejects(inspect(sandbox, model, [passwd]), failsWith('ONNX_EXTERNAL_DATA'));
    }
  }));

/** What each of them is answered with; two load and are no good in other ways. */
const negative: Readonly<Record<string, RegExp>> = {
  'mnist-mlp-ort-training': /^can teach$/,
  'ort-bert-tf2onnx-0': /^ONNX_/,
  'ort-tfbert-qa': /^(ONNX_UNSUPPORTED|TEACHER_NO_SCORES|DATA_MISMATCH)$/,
  'pcb-aoi-winml': /^ONNX_/,
  'squeezenet-dao-fp16': /^ONNX_UNSUPPORTED$/,
  'superres-pytorch': /^ONNX_UNSUPPORTED$/,
};
const files = onnxFiles('onnx-negative');

for (const [name, expected] of Object.entries(negative)) {
  const read = files.get(`onnx-negative/${name}`);
  test(`${name} is answered with ${expected.source}`, { skip: read ? false : 'no shared fixtures' }, () =>
    withSandbox(async ({ sandbox, put }) => {
      assert.match(await answerOf(inspect(sandbox, await put(name, read!()))), expected);
    }),
  );
}

test('100 damaged models: each gives a card or a typed error within the limit', (t) =>
  withSandbox(
    async ({ sandbox, put }) => {
      const { real, make } = mutations();
      if (real === 0) t.diagnostic('no shared fixtures: built models only');
      const outcomes: Record<string, number> = {};
      let slowest = 0;
      const one = async (i: number): Promise<void> => {
        const model = await put(`${i}.onnx`, make(i));
        const before = performance.now();
        const answer = await answerOf(inspect(sandbox, model));
        slowest = Math.max(slowest, performance.now() - before);
        outcomes[answer] = (outcomes[answer] ?? 0) + 1;
      };
      for (let i = 0; i < 100; i += 2) await Promise.all([one(i), one(i + 1)]);
      t.diagnostic(`${JSON.stringify(outcomes)}, slowest ${slowest.toFixed(0)} ms`);
      // A damaged file is its sender's fault, never ours.
      const ours = Object.keys(outcomes).filter((code) => code in catalogue && httpOf(code) >= 500);
      assert.deepEqual(ours, [], JSON.stringify(outcomes));
      assert.ok(outcomes.ONNX_MALFORMED! > 20, JSON.stringify(outcomes));
    },
    { concurrency: 2 },
  ));

const httpOf = (code: string): number => catalogue[code as ErrorCode].http;

/** What came of an inspection, in a word; anything but a typed error fails. */
async function answerOf(inspection: Promise<ModelInspection>): Promise<string> {
  try {
    const { refusal } = await inspection;
    return refusal?.code ?? 'can teach';
  } catch (error) {
    assert.ok(error instanceof RetortError, `${error}`);
    assert.ok(error.code in catalogue && error.message.length > 10);
    if (error.code === 'INTERNAL') console.error(error.cause);
    return error.code;
  }
}

test('a dataset is described, rejects included; its format can be named', () =>
  withSandbox(async ({ sandbox, put, putAll }) => {
    const data = await putAll(tinyPictures());
    const card = await sandbox.inspectDataset({ data });
    assert.equal(card.rows, 440);
    assert.deepEqual(
      card.classes.map(({ name }) => name),
      ['0', '1', '2', '3'],
    );
    const table = await put('rows.csv', new TextEncoder().encode('a,b,label\n1,2,x\n3,4,y\n5,oops,x\n'));
    const rows = await sandbox.inspectDataset({ data: [table], format: 'csv' });
    assert.deepEqual([rows.rows, rows.rejects.count], [2, 1]);
    await assert.rejects(sandbox.inspectDataset({ data: [table], format: 'idx' }), RetortError);
  }));

test('archives that bomb or climb out are refused, and nothing is written outside', () =>
  withSandbox(async ({ sandbox, put }) => {
    const bomb = await zipOf([['train/a/zeros.png', new Uint8Array(128 * 2 ** 20)]]);
    const climbing = Buffer.from(await zipOf([['aa/aa/etc/passwd.png', 'x']], false));
    // The library that writes refuses such names; the file says them in two places.
    const slip = Uint8Array.from(
      Buffer.from(climbing.toString('latin1').replaceAll('aa/aa/', '../../'), 'latin1'),
    );
    const linked = await tarOf([], ['train/a/link.png']);
    for (const [name, bytes] of Object.entries({ 'bomb.zip': bomb, 'slip.zip': slip, 'link.tar': linked })) {
      const asked = sandbox.inspectDataset({ data: [await put(name, bytes)] });
      await assert.rejects(asked, (error: RetortError) =>
        /^DATA_(UNREADABLE|EMPTY|REJECTS)$/.test(error.code),
      );
    }
  }));

test('a stop while a dataset is read is a cancellation', () =>
  withSandbox(async ({ sandbox, putAll }) => {
    const stop = new AbortController();
    const asked = sandbox.inspectDataset({ data: await putAll(tinyPictures()), signal: stop.signal });
    stop.abort();
    await assert.rejects(asked, failsWith('CANCELLED'));
  }));

test('a spare process makes an answer quicker', (t) =>
  withSandbox(async ({ sandbox, put }) => {
    const model = await put('teacher.onnx', tinyTeacher());
    const time = async (pause: number): Promise<number> => {
      await sleep(pause);
      const before = performance.now();
      await inspect(sandbox, model);
      return performance.now() - before;
    };
    // Asked at once, the first and the second meet no process that is ready; the third does.
    const [first, second, third] = [await time(0), await time(0), await time(6000)];
    t.diagnostic(`${[first, second, third].map((ms) => ms.toFixed(0)).join(', ')} ms`);
    assert.ok(third < Math.min(first, second));
  }));
