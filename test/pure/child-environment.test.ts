import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment, STORES } from '../../src/adapters/processes/child-environment.ts';
import { readConfig } from '../../src/config.ts';

const around = {
  PATH: '/bin',
  LANG: 'C',
  REDIS_URL: 'redis://user:secret@host',
  NODE_AUTH_TOKEN: 'secret',
  AWS_SECRET_ACCESS_KEY: 'secret of s3',
  RETORT_WEBHOOK_PRIVATE: '1',
};

test('a child gets what it runs on and how to open the stores, and no secret that is not theirs', () => {
  const config = readConfig({ RETORT_DATA: '/data', REDIS_URL: around.REDIS_URL });
  const { [STORES]: stores, ...rest } = childEnvironment(config, around);
  assert.deepEqual(rest, { PATH: '/bin', LANG: 'C' });
  assert.equal(JSON.parse(stores!).dataFolder, '/data');
  assert.doesNotMatch(stores!, /secret/);
});

test('credentials of a bucket go only where the stores lie in one', () => {
  const config = readConfig({ RETORT_STORAGE: 's3', RETORT_S3_BUCKET: 'bucket' });
  const { [STORES]: stores, ...rest } = childEnvironment(config, around);
  assert.deepEqual(Object.keys(rest).sort(), ['AWS_SECRET_ACCESS_KEY', 'LANG', 'PATH']);
  assert.equal(JSON.parse(stores!).RETORT_S3_BUCKET, 'bucket');
});
