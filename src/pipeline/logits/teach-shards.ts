/** A piece of the teacher's work that any process can do by itself: some rows of one view. */
export interface TeachShard {
  /** Position of the view in the list that was planned. */
  readonly view: number;
  /** Position of the shard in its view. */
  readonly shard: number;
  /** Its first row, by position in the view, and how many there are. */
  readonly from: number;
  readonly rows: number;
}

/** Name of a shard within its stage; the same in every process. */
export const shardName = ({ view, shard }: TeachShard): string => `${view}-${shard}`;

/** All shards of views, view by view: `shardRows` rows each, the last of a view may have fewer. */
export function teachShards(
  views: readonly { readonly rows: number; readonly shardRows: number }[],
): TeachShard[] {
  return views.flatMap(({ rows, shardRows }, view) =>
    Array.from({ length: Math.ceil(rows / shardRows) }, (_, shard) => {
      const from = shard * shardRows;
      return { view, shard, from, rows: Math.min(shardRows, rows - from) };
    }),
  );
}
