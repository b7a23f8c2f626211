import { RetortError } from '../errors.ts';
import { cancelled } from './cancelled.ts';
import type { BlobRef } from './ports.ts';
import { ShardStore } from './shard-store.ts';
import type { StageContext } from './stage.ts';
import { shardName, type TeachShard } from './teach-shards.ts';
import type { TeachWork } from './teach-work.ts';

/** Records looked up at the same time: stores may be far away. */
const AT_ONCE = 16;

/**
 * Makes those of the wanted shards that nobody has made yet, in order; a stop loses the one in work. After each it offers
 * the rest to helpers. Returns all of them by name.
 */
export async function makeShards(
  work: TeachWork,
  wanted: readonly TeachShard[],
  context: Pick<StageContext, 'jobs' | 'blobs' | 'clock' | 'signal' | 'progress' | 'key' | 'offer'>,
): Promise<ReadonlyMap<string, BlobRef>> {
  const { clock, signal, key, progress } = context;
  if (key === undefined) throw new RetortError('INTERNAL', 'shards need the key of their stage');
  const store = new ShardStore(context, key);
  const total = wanted.reduce((sum, { rows }) => sum + rows, 0);
  const shards = await findAll(store, wanted);
  const missing = wanted.filter((shard) => !shards.has(shardName(shard)));
  let done = total - missing.reduce((sum, { rows }) => sum + rows, 0);
  progress(done, total);
  let [madeRows, spent] = [0, 0];
  for (const [i, shard] of missing.entries()) {
    const name = shardName(shard);
    const started = clock.precise();
    // Another process may have made it meanwhile.
    let ref = i === 0 ? undefined : await store.find(name);
    if (!ref) {
      const logits = await work.logits(shard, (rows) => {
        if (signal.aborted) throw cancelled('teach');
        progress(done + rows, total);
      });
      ref = await store.keep(name, new Uint8Array(logits.buffer));
      madeRows += shard.rows;
      spent += clock.precise() - started;
    }
    shards.set(name, ref);
    done += shard.rows;
    const rest = missing.slice(i + 1);
    if (madeRows > 0 && rest.length > 0) {
      const milliseconds = (spent / madeRows) * (total - done);
      context.offer?.({ done, total, milliseconds, parts: () => rest.map(partOf) });
    }
  }
  return shards;
}

const partOf = (shard: TeachShard) => ({ name: shardName(shard), size: shard.rows });

async function findAll(store: ShardStore, wanted: readonly TeachShard[]): Promise<Map<string, BlobRef>> {
  const found = new Map<string, BlobRef>();
  const names = wanted.map(shardName)[Symbol.iterator]();
  const look = async (): Promise<void> => {
    for (const name of names) {
      const ref = await store.find(name);
      if (ref) found.set(name, ref);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return found;
}
