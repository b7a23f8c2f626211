import assert from 'node:assert/strict';
import { access, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { withJobFiles } from '../support/job-files.ts';
import { runRetort } from '../support/run-retort.ts';
import { tinySpec } from '../support/tiny-job.ts';

test('retort distill writes the files and prints the verdict', () =>
  withJobFiles(async (folder, args) => {
    const { code, out, err } = await runRetort(['distill', ...args]);
    assert.equal(code, 0, err);
    for (const role of ['teacher', 'control', 'student']) assert.match(out, new RegExp(`^${role} `, 'm'));
    const manifest = JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8'));
    assert.equal(manifest.stages.length > 5, true);
    assert.match(await readFile(join(folder, 'out', 'model-card.md'), 'utf8'), /# Model card/);
  }));

test('a dry run says what the job would meet and cost, and trains nothing; the job finds its work done', () =>
  withJobFiles(async (folder, args) => {
    const { code, out, err } = await runRetort(['distill', ...args, '--dry-run']);
    assert.equal(code, 0, err);
    assert.match(out, /^student {2}[\d,]+ parameters, [\d,]+ bytes, [\d,]+ multiply-accumulates per row$/m);
    for (const stage of ['teach', 'control', 'train', 'total']) {
      assert.match(out, new RegExp(`^${stage} +\\d+\\.\\d$`, 'm'));
    }
    assert.match(out, /^memory {2}about [\d,]+ MiB$/m);
    assert.deepEqual(await readdir(join(folder, 'out')), ['.retort']);
    const job = await runRetort(['distill', ...args]);
    assert.equal(job.code, 0, job.err);
    assert.match(job.err, /decodes the dataset: known already/);

    const spec = join(folder, 'wrong.json');
    await writeFile(spec, JSON.stringify({ version: 1, objective: { terms: [{ loss: 'kld' }] } }));
    const wrong = await runRetort(['distill', ...args.slice(0, -4), '--spec', spec, '--dry-run']);
    assert.equal(wrong.code, 64, wrong.err);
    assert.match(wrong.err, /SPEC_INVALID/);
    assert.equal(wrong.out, '');
  }));

test('Ctrl-C exits with 130, and the same command goes on from there', () => {
  const spec = tinySpec({ controls: false, train: { epochs: 200, batchSize: 16 } });
  return withJobFiles(async (folder, args) => {
    let stopped = false;
    const first = await runRetort(['distill', ...args], (text, stop) => {
      // The stage before training has ended: the signal meets the training.
      if (!stopped && text.includes('asks the teacher: done')) {
        stopped = true;
        setTimeout(stop, 400);
      }
    });
    assert.equal(first.code, 130, first.err);
    assert.match(first.err, /CANCELLED/);
    const second = await runRetort(['distill', ...args]);
    assert.equal(second.code, 0, second.err);
    assert.match(second.err, /asks the teacher: known already/);
    assert.ok((await readFile(join(folder, 'out', 'student.onnx'))).length > 0);
  }, spec);
});

test('mistakes are answered with code, message, hint and exit code', () =>
  withJobFiles(async (folder, args) => {
    const spec = join(folder, 'wrong.json');
    await writeFile(spec, JSON.stringify({ version: 1, trian: {} }));
    const wrong = await runRetort(['distill', ...args.slice(0, -4), '--spec', spec, '--out', folder]);
    assert.equal(wrong.code, 64);
    assert.match(wrong.err, /SPEC_INVALID.*\/trian.*"train"/s);
    const unused = join(folder, 'unused');
    await runRetort(['distill', ...args.slice(0, -4), '--spec', spec, '--out', unused]);
    await assert.rejects(access(unused), { code: 'ENOENT' });
    const missing = await runRetort(['inspect', join(folder, 'nothing.onnx')]);
    assert.equal(missing.code, 66);
    assert.match(missing.err, /FILE_UNREADABLE.*nothing\.onnx/);
    assert.match((await runRetort(['inspect', folder])).err, /FILE_UNREADABLE.*not a file\n.*pack a folder/);
    const usage = await runRetort(['distil']);
    assert.equal(usage.code, 64);
    assert.match(usage.err, /USAGE.*distil/);
    const nothing = await runRetort([]);
    assert.equal(nothing.code, 64);
    assert.match(nothing.err, /USAGE: no command was given\n`retort --help`/);
    const out = join(folder, 'teacher.onnx');
    const blocked = await runRetort(['distill', ...args.slice(0, -1), out]);
    assert.equal(blocked.code, 73, blocked.err);
    assert.match(blocked.err, /FILE_UNWRITABLE.*teacher\.onnx.*\nGive another folder/);
  }));

test('a folder of results that cannot be made is told before the work, wherever the work is kept', () =>
  withJobFiles(async (folder, args) => {
    const nowhere = join(folder, 'nowhere');
    await symlink(join(folder, 'gone', 'away'), nowhere);
    for (const out of [nowhere, join(folder, 'teacher.onnx')]) {
      const elsewhere = ['--store', join(folder, 'store')];
      const { code, err } = await runRetort(['distill', ...args.slice(0, -1), out, ...elsewhere]);
      assert.equal(code, 73, err);
      assert.match(err, /^FILE_UNWRITABLE: /);
    }
  }));

test('two files of one name that come along are refused: the spec could mean either', () =>
  withJobFiles(async (folder, args) => {
    await mkdir(join(folder, 'b'));
    const twins = [join(folder, 'model.onnx'), join(folder, 'b', 'model.onnx')];
    const { code, err } = await runRetort(['distill', ...args, '--with', ...twins]);
    assert.equal(code, 64, err);
    assert.match(err, /USAGE: --with: .*model\.onnx and .*model\.onnx have the same name\n.*rename one/);
  }));

test('retort inspect shows models and datasets, as text and as JSON', () =>
  withJobFiles(async (folder) => {
    const model = join(folder, 'teacher.onnx');
    const text = await runRetort(['inspect', model]);
    assert.match(text.out, /can teach: 4 class scores in "scores"/);
    const { card } = JSON.parse((await runRetort(['inspect', '--json', model])).out);
    assert.equal(card.parameters, 8 * 8 * 4 + 4);
    assert.equal(card.macs, 8 * 8 * 4);
    assert.match((await runRetort(['inspect', '--graph', model])).out, /Gemm\(.*weights/);
    const files = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'].map((name) => join(folder, name));
    const labelOfModel = await runRetort(['inspect', '--label', 'x', model]);
    assert.equal(labelOfModel.code, 64);
    assert.match(labelOfModel.err, /--label is not for a model/);
    assert.match((await runRetort(['inspect', '--graph', ...files])).err, /--graph is not for a dataset/);
    const dataset = JSON.parse((await runRetort(['inspect', '--json', ...files])).out);
    assert.equal(dataset.rows, 320);
    assert.equal(dataset.classes.length, 4);

    const table = join(folder, 'flowers.csv');
    await writeFile(table, '1,2,rose\n3,4,lily\n5,6,rose\n');
    const bare = await runRetort(['inspect', table]);
    assert.equal(bare.code, 65);
    assert.match(bare.err, /no column named label.*\n.*`retort inspect --label`/);
    const labelled = await runRetort(['inspect', table, '--label', '2', '--json']);
    assert.deepEqual(
      JSON.parse(labelled.out).classes.map(({ name }: { name: string }) => name),
      ['lily', 'rose'],
    );
  }));

test('every registry can be listed', async () => {
  const names = [
    'students',
    'losses',
    'optimizers',
    'schedules',
    'strategies',
    'augmentations',
    'formats',
    'metrics',
  ];
  const lists = await Promise.all(names.map((name) => runRetort([name, '--json'])));
  for (const { code, out } of lists) {
    assert.equal(code, 0);
    assert.ok(
      JSON.parse(out).every(({ name, summary }: { name: string; summary: string }) => name && summary),
    );
  }
  assert.match((await runRetort(['students'])).out, /^resnet {2}/m);
  assert.match((await runRetort(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  const { out } = await runRetort(['losses']);
  assert.match(out, /^kl {2}.*\n(?: {4}.*\n)* {4}reads the teacher.s class scores\n {4}temperature = 4 /m);
});
