import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInfo } from '../../../src/adapters/queue/parse-info.ts';
import { redisInstall } from '../../../src/adapters/queue/redis-install.ts';
import { isNewEnough, redisProblems } from '../../../src/adapters/queue/redis-problems.ts';

const GOOD = { version: '7.0.15', appendonly: 'yes', policy: 'noeviction' };

test('INFO is read field by field, with colons in values and any line ending', () => {
  const info = parseInfo(
    '# Server\r\nredis_version:7.0.15\r\nexecutable:C:\\redis\\server.exe\r\n\r\n# Persistence\naof_enabled:1\nempty:\nno field\n',
  );
  assert.deepEqual(Object.fromEntries(info), {
    redis_version: '7.0.15',
    executable: 'C:\\redis\\server.exe',
    aof_enabled: '1',
    empty: '',
  });
});

test('versions are compared by number, from 6.2 on', () => {
  assert.deepEqual(['6.2.0', '6.10.1', '7.0.0', '10.0.0'].map(isNewEnough), [true, true, true, true]);
  assert.deepEqual(['6.0.16', '5.9.9', '6', '', 'unknown'].map(isNewEnough), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('each problem names the setting, its value, the wanted one and the way there', () => {
  assert.deepEqual(redisProblems(GOOD), { wrong: [], unknown: [] });
  const { wrong, unknown } = redisProblems({ version: '5.0.3', appendonly: 'no', policy: 'allkeys-lru' });
  assert.deepEqual(unknown, []);
  assert.match(wrong[0]!, /^version is 5\.0\.3, wanted 6\.2 or newer: install/);
  assert.match(wrong[1]!, /^appendonly is no, wanted yes: .*CONFIG SET appendonly yes/);
  assert.match(wrong[2]!, /^maxmemory-policy is allkeys-lru, wanted noeviction: .*CONFIG SET/);
});

test('what a Redis does not tell is unknown, not wrong', () => {
  const { wrong, unknown } = redisProblems({
    version: undefined,
    appendonly: undefined,
    policy: 'noeviction',
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    unknown.map((problem) => problem.split(' ')[0]),
    ['version', 'appendonly'],
  );
});

test('each platform has its one command to install Redis', () => {
  const linux = (release: string, root = false) => redisInstall('linux', release, root);
  const apt = 'apt-get install -y --no-install-recommends redis-server';
  assert.equal(linux('PRETTY_NAME="Debian"\nID=debian\n', true), apt);
  assert.equal(linux('ID=linuxmint\nID_LIKE="ubuntu debian"\n'), `sudo ${apt}`);
  assert.equal(linux('NAME="Alpine Linux"\nID=alpine\n', true), 'apk add redis');
  assert.equal(linux('ID="rocky"\nID_LIKE="rhel centos fedora"'), 'sudo dnf install -y redis');
  assert.equal(linux('ID=plan9\nNAME="not debian"\n'), undefined);
  assert.equal(linux(''), undefined);
  assert.equal(redisInstall('darwin', '', false), 'brew install redis');
  assert.equal(redisInstall('win32', '', false), undefined);
});
