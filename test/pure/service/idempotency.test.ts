import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import { idempotentId } from '../../../src/service/jobs/idempotency.ts';

test('fifty equal requests at once name one id; another request under the key is refused', async () => {
  const jobs = new MemoryJobs();
  const ask = (fresh: string, request: unknown = { teacher: 'a' }, owner = 'me') =>
    idempotentId(jobs, owner, 'key with spaces / and more', request, fresh);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(`d_${i}`)));
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  assert.equal(answers.filter(({ replayed }) => !replayed).length, 1);
  await assert.rejects(ask('d_x', { teacher: 'b' }), { code: 'IDEMPOTENCY_MISMATCH' });
  assert.deepEqual(await ask('d_y', { teacher: 'b' }, 'another-owner'), { id: 'd_y', replayed: false });
});
