import { unreadable } from './unreadable.ts';

/** Cuts a stream into `count` records of `bytes` each after skipping `skip`; throws when it ends before. */
export async function* records(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  skip: number,
  bytes: number,
  count: number,
): AsyncGenerator<Uint8Array> {
  let left = skip;
  let made = 0;
  let record = new Uint8Array(bytes);
  let filled = 0;
  if (bytes === 0) throw unreadable(name, 'holds records of no bytes');
  for await (let chunk of stream) {
    if (left > 0) {
      const cut = Math.min(left, chunk.length);
      left -= cut;
      chunk = chunk.subarray(cut);
    }
    while (chunk.length > 0 && made < count) {
      const part = chunk.subarray(0, bytes - filled);
      record.set(part, filled);
      filled += part.length;
      chunk = chunk.subarray(part.length);
      if (filled < bytes) continue;
      yield record;
      made++;
      record = new Uint8Array(bytes);
      filled = 0;
    }
    if (made === count && chunk.length > 0) throw unreadable(name, 'goes on after its last record');
  }
  if (made < count) throw unreadable(name, `is cut short: ${made} of ${count} records`);
}
