/** Maps with up to `concurrency` calls under way at once, results in the order of the input. */
export async function* orderedMap<T, R>(
  input: AsyncIterable<T>,
  concurrency: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underway: Promise<R>[] = [];
  try {
    for await (const item of input) {
      const result = map(item);
      // Awaited later, in its turn; until then a failure must not count as unhandled.
      result.catch(() => {});
      underway.push(result);
      if (underway.length >= concurrency) yield await underway.shift()!;
    }
    while (underway.length > 0) yield await underway.shift()!;
  } finally {
    await Promise.allSettled(underway);
  }
}
