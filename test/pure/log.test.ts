import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const log = fileURLToPath(new URL('../../src/log.ts', import.meta.url));

test('no secret reaches the log, neither by name nor inside an error of a library', () => {
  const script = `
    import { createLog } from ${JSON.stringify(log)};
    const error = Object.assign(new Error('WRONGPASS'), {
      command: { name: 'auth', args: ['user', 'hunter2'] },
      cause: Object.assign(new Error('inner'), { config: { token: 'hunter2' } }),
    });
    const log = createLog('info', 'test');
    log.warn({ err: error }, 'the queue is in trouble');
    log.info({ url: 'redis://:hunter2@host', nested: { password: 'hunter2' } }, 'settings');
  `;
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0);
  assert.match(stdout, /WRONGPASS.*inner/s);
  assert.doesNotMatch(stdout, /hunter2/);
});
