import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concat } from '../../src/adapters/storage/concat.ts';
import { tinyPictures, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

const bin = fileURLToPath(new URL('../../bin/retort.js', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the CLI; `onErr` sees what it prints while it runs. */
function retort(args: readonly string[], onErr?: (text: string, stop: () => void) => void): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk;
      onErr?.(err, () => child.kill('SIGINT'));
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** A folder with the files of a tiny job. */
async function withJob(body: (folder: string, args: string[]) => Promise<void>, spec: object = tinySpec()) {
  const folder = await mkdtemp(join(tmpdir(), 'retort-cli-'));
  try {
    const file = async (name: string, data: Uint8Array | string): Promise<string> => {
      await writeFile(join(folder, name), data);
      return join(folder, name);
    };
    const data = [];
    for (const source of tinyPictures()) data.push(await file(source.name, await concat(source.stream())));
    const teacher = await file('teacher.onnx', tinyTeacher());
    const written = await file('spec.json', JSON.stringify(spec));
    await body(folder, [
      '--teacher',
      teacher,
      '--data',
      ...data,
      '--spec',
      written,
      '--out',
      join(folder, 'out'),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('retort distill writes the files and prints the verdict', () =>
  withJob(async (folder, args) => {
    const { code, out, err } = await retort(['distill', ...args]);
    assert.equal(code, 0, err);
    for (const role of ['teacher', 'control', 'student']) assert.match(out, new RegExp(`^${role} `, 'm'));
    const manifest = JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8'));
    assert.equal(manifest.stages.length > 5, true);
    assert.match(await readFile(join(folder, 'out', 'model-card.md'), 'utf8'), /# Model card/);
  }));

test('Ctrl-C exits with 130, and the same command goes on from there', () => {
  const spec = tinySpec({ controls: false, train: { epochs: 200, batchSize: 16 } });
  return withJob(async (folder, args) => {
    let stopped = false;
    const first = await retort(['distill', ...args], (text, stop) => {
      // The stage before training has ended: the signal meets the training.
      if (!stopped && text.includes('asks the teacher: done')) {
        stopped = true;
        setTimeout(stop, 400);
      }
    });
    assert.equal(first.code, 130, first.err);
    assert.match(first.err, /CANCELLED/);
    const second = await retort(['distill', ...args]);
    assert.equal(second.code, 0, second.err);
    assert.match(second.err, /asks the teacher: known already/);
    assert.ok((await readFile(join(folder, 'out', 'student.onnx'))).length > 0);
  }, spec);
});

test('mistakes are answered with code, message, hint and exit code', () =>
  withJob(async (folder, args) => {
    const spec = join(folder, 'wrong.json');
    await writeFile(spec, JSON.stringify({ version: 1, trian: {} }));
    const wrong = await retort(['distill', ...args.slice(0, -4), '--spec', spec, '--out', folder]);
    assert.equal(wrong.code, 64);
    assert.match(wrong.err, /SPEC_INVALID.*\/trian.*"train"/s);
    const missing = await retort(['inspect', join(folder, 'nothing.onnx')]);
    assert.equal(missing.code, 66);
    assert.match(missing.err, /FILE_UNREADABLE.*nothing\.onnx/);
    assert.match((await retort(['inspect', folder])).err, /FILE_UNREADABLE.*not a file\n.*pack a folder/);
    const usage = await retort(['distil']);
    assert.equal(usage.code, 64);
    assert.match(usage.err, /USAGE.*distil/);
    const nothing = await retort([]);
    assert.equal(nothing.code, 64);
    assert.match(nothing.err, /USAGE: no command was given\n`retort --help`/);
    const out = join(folder, 'teacher.onnx');
    const blocked = await retort(['distill', ...args.slice(0, -1), out]);
    assert.equal(blocked.code, 73, blocked.err);
    assert.match(blocked.err, /FILE_UNWRITABLE.*teacher\.onnx.*\nGive another folder/);
  }));

test('retort inspect shows models and datasets, as text and as JSON', () =>
  withJob(async (folder) => {
    const model = join(folder, 'teacher.onnx');
    const text = await retort(['inspect', model]);
    assert.match(text.out, /can teach: 4 class scores in "scores"/);
    const { card } = JSON.parse((await retort(['inspect', '--json', model])).out);
    assert.equal(card.parameters, 8 * 8 * 4 + 4);
    assert.equal(card.macs, 8 * 8 * 4);
    assert.match((await retort(['inspect', '--graph', model])).out, /Gemm\(.*weights/);
    const files = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'].map((name) => join(folder, name));
    const dataset = JSON.parse((await retort(['inspect', '--json', ...files])).out);
    assert.equal(dataset.rows, 320);
    assert.equal(dataset.classes.length, 4);
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
  const lists = await Promise.all(names.map((name) => retort([name, '--json'])));
  for (const { code, out } of lists) {
    assert.equal(code, 0);
    assert.ok(
      JSON.parse(out).every(({ name, summary }: { name: string; summary: string }) => name && summary),
    );
  }
  assert.match((await retort(['students'])).out, /^resnet {2}/m);
  assert.match((await retort(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  assert.match((await retort(['losses'])).out, /^kl {2}.*\n(?: {4}.*\n)* {4}temperature = 4 /m);
});
