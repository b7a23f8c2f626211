import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DisposableProcess } from '../../src/adapters/processes/disposable-process.ts';
import { ProcessPool } from '../../src/adapters/processes/process-pool.ts';
import type { ProcessSandbox } from '../../src/adapters/processes/process-sandbox.ts';
import type { ModelInspection } from '../../src/pipeline/teacher/inspect-model.ts';
import { failsWith } from '../support/data-files.ts';
import { processesIn, withSandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

/** What the process does is in the name of the model; see test/support/misbehaving-child.ts. */
const does = (sandbox: ProcessSandbox, name: string): Promise<ModelInspection> =>
  sandbox.inspectModel({ model: { name, hash: '', bytes: 0 }, companions: [] });

const isPosix = process.platform !== 'win32';
const isLinux = process.platform === 'linux';
const ends: readonly (readonly [title: string, deed: string, code: string, message: RegExp])[] = [
  ['a native crash is the fault of the model', 'crash', 'ONNX_INVALID', /crashed \(SIGSEGV\) while opening/],
  ['so is an abort', 'abort', 'ONNX_INVALID', /crashed \(SIGABRT\)/],
  [
    'a process that ends before it begins is our fault',
    'exit',
    'INTERNAL',
    /before it began \(exit code 3\)/,
  ],
  ['a kill by the system is want of memory', 'killed-by-the-system', 'SANDBOX_LIMIT', /for want of memory/],
  [
    'an answer too large to be held for everyone is refused',
    'chatter',
    'SANDBOX_LIMIT',
    /has 50000\d\d characters; 4194304 are passed on/,
  ],
  ['a bug tells nothing but that it is one', 'bug', 'INTERNAL', /^something went wrong inside Retort$/],
];

for (const [title, deed, code, message] of ends) {
  test(title, () =>
    withSandbox(({ sandbox }) => assert.rejects(does(sandbox, deed), failsWith(code, message)), {
      misbehave: true,
    }),
  );
}

test('the details of a bug are there for the log', () =>
  withSandbox(
    ({ sandbox }) =>
      assert.rejects(does(sandbox, 'bug'), ({ cause }: Error) => /the text of a bug/.test(`${cause}`)),
    { misbehave: true },
  ));

test('a process that never gives way is ended at the time limit', () =>
  withSandbox(
    ({ sandbox }) =>
      assert.rejects(
        does(sandbox, 'hang'),
        failsWith('SANDBOX_LIMIT', /longer than 6 s \(RETORT_SANDBOX_SECONDS\)/),
      ),
    { misbehave: true, settings: { RETORT_SANDBOX_SECONDS: '6' } },
  ));

const memoryLimit = failsWith('SANDBOX_LIMIT', /more memory than 314572800 bytes \(RETORT_SANDBOX_BYTES\)/);
for (const deed of ['eat', 'eat-heap']) {
  test(`a process that takes more and more memory is ended at the limit (${deed})`, { skip: !isPosix }, () =>
    withSandbox(({ sandbox }) => assert.rejects(does(sandbox, deed), memoryLimit), {
      misbehave: true,
      settings: { RETORT_SANDBOX_BYTES: `${300 * 2 ** 20}` },
    }),
  );
}

const entry = new URL('../support/misbehaving-child.ts', import.meta.url);
const parentEntry = fileURLToPath(new URL('../support/sandbox-parent.ts', import.meta.url));
const exhaustedEntry = fileURLToPath(new URL('../support/exhausted-parent.ts', import.meta.url));
const environment = { PATH: process.env.PATH ?? '' };
const ceilings = { cpuSeconds: 600, fileBytes: 1e9, heapBytes: 1e9 };
const limits = { seconds: 60, memoryBytes: 1e9 };
const asking = (name: string) => ({ model: { name } });

test('the system ends a process at its CPU limit, and refuses it large files', { skip: !isPosix }, () =>
  withSandbox(async ({ scratch }) => {
    const start = (changes: object) =>
      DisposableProcess.start({ entry, environment, scratch, ceilings: { ...ceilings, ...changes } });
    const [busy, writing] = await Promise.all([start({ cpuSeconds: 3 }), start({ fileBytes: 1e6 })]);
    assert.deepEqual(await busy.ask(asking('hang'), limits), { kind: 'limit', limit: 'cpu' });
    const written = await writing.ask(asking('write'), limits);
    const isLimit = written.kind === 'limit' && written.limit === 'disk';
    assert.ok(isLimit || (written.kind === 'fault' && written.fault.code === 'SANDBOX_LIMIT'));
    await Promise.all([busy.gone, writing.gone]);
  }),
);

test('a process sees an empty folder and an environment without secrets, and goes with what it started', () => {
  process.env.RETORT_TEST_SECRET = 'secret';
  return withSandbox(
    async ({ sandbox, scratch }) => {
      const seen = (await does(sandbox, 'look')) as object as {
        readonly environment: readonly string[];
        readonly files: readonly string[];
        readonly folder: string;
      };
      assert.deepEqual(seen.files, []);
      assert.ok(seen.folder.includes(scratch));
      assert.ok(seen.environment.includes('RETORT_CHILD_STORES'));
      assert.ok(!seen.environment.includes('RETORT_TEST_SECRET'));
      assert.ok(!seen.environment.includes('AWS_SECRET_ACCESS_KEY'));
      await does(sandbox, 'fork');
      await until('all processes have ended', () => processesIn(scratch).length === 0);
    },
    { misbehave: true },
  );
});

test('a signal ends a request at once, at work or in the queue', () =>
  withSandbox(
    async ({ scratch }) => {
      const pool = new ProcessPool({ entry, environment, scratch, ceilings, concurrency: 1, spare: false });
      const stop = new AbortController();
      const working = pool.run(asking('hang'), { ...limits, signal: stop.signal });
      const waiting = pool.run(asking('hang'), { ...limits, signal: stop.signal });
      await sleep(100);
      const before = performance.now();
      stop.abort();
      assert.deepEqual(await Promise.all([working, waiting]), [{ kind: 'aborted' }, { kind: 'aborted' }]);
      // What hangs would end after 60 s.
      assert.ok(performance.now() - before < 5000);
      await pool.close();
    },
    { misbehave: true },
  ));

test('without file descriptors left no process starts, and whoever asks lives on', { skip: !isPosix }, () =>
  withSandbox(
    async ({ scratch }) => {
      const command = [
        '/bin/sh',
        '-c',
        'ulimit -n 128; exec "$0" "$@"',
        process.execPath,
        ...process.execArgv,
      ];
      const asking = spawn(command[0]!, [...command.slice(1), exhaustedEntry, scratch], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said, [code]] = await Promise.all([text(asking.stdout), once(asking, 'exit')]);
      assert.equal(code, 0);
      assert.deepEqual(JSON.parse(said), { refused: ['RUNTIME_UNAVAILABLE', 'EMFILE', []], later: 'value' });
    },
    { misbehave: true },
  ),
);

test('a signal ends the look at a model', () =>
  withSandbox(
    async ({ sandbox }) => {
      const stop = new AbortController();
      const looking = sandbox.inspectModel({
        model: { name: 'hang', hash: '', bytes: 0 },
        companions: [],
        signal: stop.signal,
      });
      setTimeout(() => stop.abort(), 300);
      await assert.rejects(looking, failsWith('CANCELLED', /stopped while opening the model/));
    },
    { misbehave: true },
  ));

test('requests take turns, first come, first served; each has a process of its own', () =>
  withSandbox(
    async ({ scratch }) => {
      const pool = new ProcessPool({ entry, environment, scratch, ceilings, concurrency: 1, spare: true });
      const order: number[] = [];
      const outcomes = await Promise.all(
        [0, 1, 2].map(async (i) => {
          const outcome = await pool.run(asking('look'), limits);
          order.push(i);
          assert.ok(readdirSync(scratch).length <= 2);
          return outcome.kind === 'value' ? (outcome.value as { pid: number }).pid : outcome.kind;
        }),
      );
      assert.deepEqual(order, [0, 1, 2]);
      assert.equal(new Set(outcomes).size, 3, `${outcomes}`);
      await pool.close();
      await assert.rejects(pool.run(asking('look'), limits), failsWith('SERVICE_STOPPING'));
    },
    { misbehave: true },
  ));

test('closing ends what is at work', () =>
  withSandbox(
    async ({ sandbox }) => {
      const hanging = assert.rejects(does(sandbox, 'hang'), failsWith('SERVICE_STOPPING'));
      await sleep(200);
      await sandbox.close();
      await hanging;
    },
    { misbehave: true },
  ));

for (const [when, pause] of [
  ['while they start', 0],
  ['while they wait', 3000],
] as const) {
  test(`processes whose parent is killed ${when} end and clear up`, { skip: !isLinux }, () =>
    withSandbox(
      async ({ scratch }) => {
        const parent = spawn(process.execPath, [...process.execArgv, parentEntry, scratch], {
          stdio: 'ignore',
        });
        const ended = once(parent, 'exit');
        // The one started by it; the parent itself has the folder among its arguments only.
        await until('its process has begun', () => processesIn(scratch).length > 0, 30_000);
        await sleep(pause);
        assert.equal(readdirSync(scratch).length, 1);
        parent.kill('SIGKILL');
        await ended;
        await until('its folder is gone', () => readdirSync(scratch).length === 0, 30_000);
        await until('all processes have ended', () => processesIn(scratch).length === 0);
      },
      { misbehave: true },
    ),
  );
}
