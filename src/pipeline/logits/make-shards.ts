import { cancelled } from '../cancelled.ts';
import type { BlobRef } from '../ports.ts';
import type { StageContext } from '../stage.ts';
import { shardName, type TeachShard } from './teach-shards.ts';
import type { TeachWork } from './teach-work.ts';

/** Records looked up at the same time: stores may be far away. */
const AT_ONCE = 16;

/** When the first shard is offered though it is not done: soon enough to help, not so late that much work is lost. */
const [EARLY_MS, LATE_MS] = [2000, 30_000];

/**
 * Makes those of the wanted shards that nobody has made yet, in order; a stop loses the one in work. After each it offers
 * the rest to helpers. Returns all of them by name.
 */
export async function makeShards(
  work: TeachWork,
  wanted: readonly TeachShard[],
  context: Pick<StageContext, 'clock' | 'signal' | 'progress' | 'offer'>,
): Promise<ReadonlyMap<string, BlobRef>> {
  const { clock, signal, progress } = context;
  const total = wanted.reduce((sum, { rows }) => sum + rows, 0);
  const shards = await findAll(work, wanted);
  const missing = wanted.filter((shard) => !shards.has(shardName(shard)));
  let done = total - missing.reduce((sum, { rows }) => sum + rows, 0);
  progress(done, total);
  const offer = (rowMs: number, left: readonly TeachShard[]): void =>
    context.offer?.({ done, total, milliseconds: rowMs * (total - done), parts: () => left.map(partOf) });
  let [madeRows, spent] = [0, 0];
  for (const [i, shard] of missing.entries()) {
    const { store, name } = work.kept(shard);
    // Another process may have made it meanwhile.
    let ref = i === 0 ? undefined : await store.find(name);
    if (!ref) {
      // Not part of its pace.
      await work.open(shard);
      const started = clock.precise();
      const logits = await work.logits(shard, (rows) => {
        if (signal.aborted) throw cancelled('teach');
        progress(done + rows, total);
        // A shard of a slow teacher takes minutes: helpers need not wait for the first.
        const elapsed = clock.precise() - started;
        if (madeRows === 0 && elapsed > EARLY_MS && elapsed < LATE_MS)
          offer(elapsed / rows, missing.slice(i));
      });
      ref = await store.keep(name, new Uint8Array(logits.buffer));
      madeRows += shard.rows;
      spent += clock.precise() - started;
    }
    shards.set(shardName(shard), ref);
    done += shard.rows;
    if (madeRows > 0 && done < total) offer(spent / madeRows, missing.slice(i + 1));
  }
  return shards;
}

const partOf = (shard: TeachShard) => ({ name: shardName(shard), size: shard.rows });

async function findAll(work: TeachWork, wanted: readonly TeachShard[]): Promise<Map<string, BlobRef>> {
  const found = new Map<string, BlobRef>();
  const all = wanted[Symbol.iterator]();
  const look = async (): Promise<void> => {
    for (const shard of all) {
      const { store, name } = work.kept(shard);
      const ref = await store.find(name);
      if (ref) found.set(shardName(shard), ref);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return found;
}
