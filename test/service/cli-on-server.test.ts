import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RetortClient } from '../../src/client/retort-client.ts';
import { withJobFiles } from '../support/job-files.ts';
import { noRedis } from '../support/redis.ts';
import { runRetort } from '../support/run-retort.ts';
import { type Served, served } from '../support/served.ts';
import { tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** `retort distill --server` and `retort jobs` against `retort serve`. */

const options = { skip: noRedis ?? false };
let server: Served;
let client: RetortClient;
const at = (): string[] => ['--server', server.url];
before(async () => {
  if (noRedis) return;
  server = await served();
  client = new RetortClient({ url: server.url });
});
after(() => server?.close());

/** What of a verdict does not depend on the clock: all columns but the last two. */
const figures = (out: string): string[] =>
  out
    .split('\n')
    .map((line) =>
      /^(teacher|control|student) /.test(line) ? line.split(/ {2,}/).slice(0, -2).join(' ') : line,
    );
/** Lines about stages without their times. */
const stages = (err: string): string[] =>
  err.split('\n').flatMap((line) => /^(.*): done in /.exec(line)?.[1] ?? []);
/** By its own choice a job may take another kernel the next time: whichever is faster at that moment. */
const sameKernel = tinySpec({ train: { ...tinySpec().train, kernel: 'onnxruntime' } });
const endless = tinySpec({ controls: false, train: { epochs: 100_000, batchSize: 16 } });

test('on a server the verdict, the stages and the files are those of this process', options, () =>
  withJobFiles(async (folder, args) => {
    const here = await runRetort(['distill', ...args]);
    assert.equal(here.code, 0, here.err);
    const out = join(folder, 'there');
    const there = await runRetort(['distill', ...args.slice(0, -1), out, ...at()]);
    assert.equal(there.code, 0, there.err);
    const renamed = there.out.replaceAll(out, join(folder, 'out'));
    // Latency is measured anew each time, with the width of its columns.
    assert.deepEqual(figures(renamed).slice(1), figures(here.out).slice(1));
    assert.deepEqual(stages(there.err), stages(here.err));
    const names = (await readdir(out)).sort();
    assert.deepEqual(names, (await readdir(join(folder, 'out'))).filter((name) => name !== '.retort').sort());
    for (const name of ['student.onnx', 'control.onnx', 'metrics.jsonl']) {
      assert.deepEqual(await readFile(join(out, name)), await readFile(join(folder, 'out', name)), name);
    }
  }, sameKernel),
);

test('a dry run on a server says what it would cost and makes no job', options, () =>
  withJobFiles(async (_folder, args) => {
    const before = (await client.distillations.list({ pageSize: 1 }).next()).value?.id;
    const { code, out, err } = await runRetort(['distill', ...args.slice(0, -2), '--dry-run', ...at()]);
    assert.equal(code, 0, err);
    assert.match(out, /^student {2}[\d,]+ parameters/m);
    assert.match(out, /^total +\d+\.\d$/m);
    assert.equal((await client.distillations.list({ pageSize: 1 }).next()).value?.id, before);
    const detached = await runRetort(['distill', ...args.slice(0, -2), '--dry-run', '--detach', ...at()]);
    assert.equal(detached.code, 64);
    assert.match(detached.err, /USAGE.*--detach is not for --dry-run/);
  }),
);

test('Ctrl-C leaves the job to the server and says how to find it; the verbs of jobs steer it', options, () =>
  withJobFiles(async (folder, args) => {
    let stopped = false;
    const left = await runRetort(['distill', ...args, ...at()], (text, stop) => {
      // Done here, or known from the test before.
      if (stopped || !text.includes('asks the teacher: ')) return;
      stopped = true;
      stop();
    });
    assert.equal(left.code, 130, left.err);
    const id = /CANCELLED: no longer watching (d_\w+); it goes on/.exec(left.err)?.[1];
    assert.ok(id, left.err);
    assert.ok(left.err.includes(`retort jobs watch ${id} --server ${server.url}`), left.err);
    assert.ok(left.err.includes(`retort jobs cancel ${id}`), left.err);
    assert.ok(!left.err.includes('stopping after this step'));
    assert.equal((await client.distillations.get(id)).state, 'running');

    const list = await runRetort(['jobs', 'list', ...at(), '--state', 'running']);
    assert.match(list.out, new RegExp(`^${id} +running`, 'm'));
    const cancelled = await runRetort(['jobs', 'cancel', id, ...at()]);
    assert.match(cancelled.out, new RegExp(`^${id} +cancel(ling|led)\n`));
    const watched = await runRetort(['jobs', 'watch', id, ...at()]);
    assert.equal(watched.code, 130, watched.err);
    assert.match(watched.err, new RegExp(`CANCELLED: the distillation ${id} is cancelled`));
    const shown = await runRetort(['jobs', 'show', id, ...at()]);
    assert.equal(JSON.parse(shown.out).state, 'cancelled');
    assert.deepEqual(await readdir(join(folder, 'out')), []);
  }, endless),
);

test('--detach prints the id alone; watch then shows the verdict, download fetches the files', options, () =>
  withJobFiles(async (folder, args) => {
    const { code, out, err } = await runRetort(['distill', ...args.slice(0, -2), ...at(), '--detach']);
    assert.equal(code, 0, err);
    assert.match(out, /^d_[0-9A-Z]{26}\n$/);
    const id = out.trim();
    const watched = await runRetort(['jobs', 'watch', id, ...at()]);
    assert.equal(watched.code, 0, watched.err);
    assert.match(watched.out, /^student /m);
    const files = join(folder, 'files');
    const fetched = await runRetort(['jobs', 'download', id, ...at(), '--out', files]);
    assert.equal(fetched.code, 0, fetched.err);
    assert.ok((await readFile(join(files, 'student.onnx'))).length > 0);
  }),
);

test('a job that fails ends with the exit code, message and hint of its error', options, () =>
  withJobFiles(
    async (_, args) => {
      const { code, err } = await runRetort(['distill', ...args, ...at()]);
      assert.equal(code, 65, err);
      assert.match(err, /^TEACHER_QUALITY: /m);
    },
    tinySpec(),
    tinyTeacher({ wrong: true }),
  ),
);

test('a server that is away, a wrong key and wrong options are told before anything is sent', async () =>
  withJobFiles(async (_, args) => {
    const away = await runRetort(['distill', ...args, '--server', 'http://127.0.0.1:9']);
    assert.equal(away.code, 69, away.err);
    assert.match(away.err, /SERVICE_UNREACHABLE: http:\/\/127\.0\.0\.1:9 cannot be reached/);
    for (const [more, want] of [
      [['--server', 'localhost:8080'], /USAGE: --server/],
      [['--detach'], /USAGE: --detach needs --server/],
      [['--server', 'http://127.0.0.1:9', '--store', 'x'], /USAGE: --store is not for --server/],
    ] as const) {
      const { code, err } = await runRetort(['distill', ...args, ...more]);
      assert.equal(code, 64, err);
      assert.match(err, want);
    }
  }));
