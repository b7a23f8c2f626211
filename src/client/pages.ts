interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Every item of a list, newest first; pages are fetched as they are needed. */
export async function* pages<T>(
  fetchPage: (before: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T, void> {
  let before: string | undefined;
  do {
    const { items, next } = await fetchPage(before);
    yield* items;
    before = next ?? undefined;
  } while (before !== undefined);
}
