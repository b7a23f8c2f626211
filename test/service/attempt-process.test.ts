import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AttemptProcess } from '../../workers/attempt-process.ts';
import { someInputs } from '../support/job-draft.ts';

const entry = fileURLToPath(new URL('../support/stubborn-child.ts', import.meta.url));

const options = {
  assignment: {
    inputs: someInputs,
    requested: { version: 1 },
    resolved: null,
    device: 'cpu',
    threads: 1,
    offerAboveMs: null,
    help: null,
  },
  environment: {},
  hangMs: 60_000,
} as const;

test('a process that is told to stop before it can listen has stopped, not crashed', async () => {
  const child = new AttemptProcess({ ...options, onMessage: () => {} });
  child.stop(10_000);
  assert.deepEqual(await child.ended, { kind: 'stopped' });
});

test('a process that dies of a signal it was not sent by us has crashed', async () => {
  const child = new AttemptProcess({ ...options, onMessage: () => {}, entry });
  process.kill(child.pid!, 'SIGKILL');
  assert.deepEqual(await child.ended, { kind: 'crashed', detail: 'SIGKILL' });
});

test('a process that is pausing and then cancelled gets the shorter of the two times', async () => {
  let alive: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    alive = resolve;
  });
  const child = new AttemptProcess({
    ...options,
    onMessage: alive,
    entry,
  });
  await begun;
  const asked = performance.now();
  child.stop(60_000);
  child.stop(200);
  child.stop(60_000);
  assert.deepEqual(await child.ended, { kind: 'crashed', detail: 'it did not stop in time' });
  assert.ok(performance.now() - asked < 5000);
});
