import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noRedis } from '../support/redis.ts';
import { runRetort } from '../support/run-retort.ts';

test('serve ends with a typed error where its port is taken, and leaves nothing running', {
  skip: noRedis ?? false,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'retort-serve-'));
  const taken = createServer().listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const env = { RETORT_DATA: folder, RETORT_PORT: `${port}`, RETORT_LOG_LEVEL: 'silent', REDIS_URL: '' };
    const { code, err } = await runRetort(['serve'], undefined, env);
    assert.equal(code, 78, err);
    assert.match(err, /SERVICE_SETUP: the API cannot listen on 127\.0\.0\.1, port \d+/);
  } finally {
    taken.close();
    await rm(folder, { recursive: true, force: true });
  }
});
