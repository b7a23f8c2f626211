import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { ShardStore } from '../../src/pipeline/logits/shard-store.ts';
import { shardName, teachShards } from '../../src/pipeline/logits/teach-shards.ts';

test('shards cover every row of every view once, in order, and only the last of a view is shorter', () => {
  const views = [0, 1, 63, 64, 65, 1000];
  const shards = teachShards(views.map((rows) => ({ rows, shardRows: 64 })));
  for (const [view, rows] of views.entries()) {
    const own = shards.filter((shard) => shard.view === view);
    assert.deepEqual(
      own.flatMap(({ from, rows }) => Array.from({ length: rows }, (_, i) => from + i)),
      Array.from({ length: rows }, (_, i) => i),
    );
    assert.ok(own.slice(0, -1).every((shard) => shard.rows === 64));
    assert.deepEqual(
      own.map(({ shard }) => shard),
      own.map((_, i) => i),
    );
  }
  assert.equal(new Set(shards.map(shardName)).size, shards.length);
});

test('of two processes that make one shard, the first is believed', async () => {
  const tools = { jobs: new MemoryJobs(), blobs: new MemoryBlobs() };
  const slow = tools.blobs.put.bind(tools.blobs);
  const [one, two] = [new ShardStore(tools, 'k'), new ShardStore(tools, 'k')];
  let second: Promise<unknown> | undefined;
  // The other one comes while the first is between reading the record and writing it.
  tools.blobs.put = async (data) => {
    tools.blobs.put = slow;
    second = one.keep('0-0', Uint8Array.of(1));
    await second;
    return slow(data);
  };
  const late = await two.keep('0-0', Uint8Array.of(2));
  assert.deepEqual(late, await second);
  assert.deepEqual(await two.find('0-0'), late);
});

test('a shard that was there before another process kept it stays as it is', async () => {
  const tools = { jobs: new MemoryJobs(), blobs: new MemoryBlobs() };
  const first = await new ShardStore(tools, 'k').keep('0-0', Uint8Array.of(1));
  assert.deepEqual(await new ShardStore(tools, 'k').keep('0-0', Uint8Array.of(2)), first);
  assert.equal((await tools.jobs.get('shard/k/0-0'))!.revision, 1);
});

test('a shard whose blob is gone is made again', async () => {
  const tools = { jobs: new MemoryJobs(), blobs: new MemoryBlobs() };
  const store = new ShardStore(tools, 'k');
  const ref = await store.keep('0-0', Uint8Array.of(7));
  await tools.blobs.delete(ref.hash);
  assert.equal(await store.find('0-0'), undefined);
  assert.deepEqual(await store.keep('0-0', Uint8Array.of(7)), ref);
  assert.deepEqual(await store.find('0-0'), ref);
});
