import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InlineDispatcher } from '../../../src/adapters/queue/inline-dispatcher.ts';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import { Metrics } from '../../../src/api/metrics.ts';
import type { RecordFilter } from '../../../src/pipeline/ports.ts';
import { boundedCard } from '../../../src/service/files/bounded-card.ts';
import { ownedPage } from '../../../src/service/files/owned-page.ts';
import { jobKey } from '../../../src/service/jobs/job.ts';
import { everyRecord } from '../../../src/service/retention/every-record.ts';
import { memoryService, someOptions } from '../../support/job-draft.ts';

/** Counts what it is asked for. */
class CountingJobs extends MemoryJobs {
  readonly pages: number[] = [];
  override async list(filter: RecordFilter = {}) {
    const found = await super.list(filter);
    this.pages.push(found.length);
    return found;
  }
  get looked(): number {
    return this.pages.reduce((sum, size) => sum + size, 0);
  }
}

const nameOf = (i: number): string => `${i}`.padStart(6, '0');

/** So many jobs of others, after (newer than) and before them one of `me`. */
async function amongOthers(others: number) {
  const jobs = new CountingJobs();
  const put = (i: number, owner: string, state: string) => {
    const options = { ...someOptions, labels: { kind: owner } };
    return jobs.put({ id: jobKey(nameOf(i)), revision: 0, state, value: { id: nameOf(i), owner, options } });
  };
  await put(0, 'me', 'failed');
  for (let i = 1; i <= others; i++) await put(i, 'others', 'succeeded');
  await put(others + 1, 'me', 'queued');
  return { jobs, service: memoryService({ jobs }).service };
}

test('one page looks at 2000 records at most, and the pages together at all', async () => {
  const { jobs, service } = await amongOthers(5000);
  const wishes = [
    { owner: 'me' },
    { state: 'failed' },
    { label: ['kind', 'me'] as const },
    { owner: 'me', state: 'failed', label: ['kind', 'me'] as const },
  ];
  for (const wish of wishes) {
    const found: string[] = [];
    let before: string | undefined;
    let asked = 0;
    do {
      jobs.pages.length = 0;
      const page = await service.list({ ...wish, limit: 1, ...(before === undefined ? {} : { before }) });
      assert.ok(jobs.looked <= 2000 && jobs.pages.length <= 12, `${jobs.pages}`);
      found.push(...page.items.map(({ id }) => id));
      before = page.next ?? undefined;
    } while (before !== undefined && ++asked < 10);
    assert.deepEqual(found, 'state' in wish ? ['000000'] : ['005001', '000000'], JSON.stringify(wish));
  }
});

test('the pages of a list are full where nothing is left out, and the last one says that it is', async () => {
  const { jobs, service } = await amongOthers(3);
  const first = await service.list({ limit: 3 });
  assert.deepEqual([first.items.map(({ id }) => id), first.next], [['000004', '000003', '000002'], '000002']);
  assert.deepEqual(jobs.pages, [4]);
  const last = await service.list({ limit: 2, before: first.next! });
  assert.deepEqual([last.items.map(({ id }) => id), last.next], [['000001', '000000'], null]);
  assert.deepEqual(await ownedPage(jobs, 'none/', { limit: 5 }), { items: [], next: null });
});

test('passes over all records and the count of jobs take 200 at a time', async () => {
  const { jobs } = await amongOthers(450);
  let count = 0;
  for await (const _ of everyRecord(jobs, 'job/')) count++;
  assert.deepEqual([count, jobs.pages], [452, [200, 200, 52]]);
  jobs.pages.length = 0;
  const { registry } = new Metrics({ jobs, dispatcher: new InlineDispatcher(), streams: { size: 0 } });
  const text = await registry.metrics();
  for (const line of ['succeeded"} 450', 'queued"} 1', 'failed"} 1', 'running"} 0'])
    assert.ok(text.includes(`retort_jobs{state="${line}\n`), line);
  assert.deepEqual(jobs.pages, [200, 200, 52]);
});

test('a description too large for a list is refused', () => {
  const card = { inputs: ['x'.repeat(500_000)] };
  assert.equal(boundedCard(card), card);
  assert.throws(() => boundedCard({ inputs: ['x'.repeat(600_000)] }), { code: 'SANDBOX_LIMIT' });
});
