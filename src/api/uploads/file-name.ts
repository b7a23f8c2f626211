const LONGEST = 200;

/**
 * A name to show for a file, from what its sender called it: the last part of a path, without control characters. It
 * never names a place in a store.
 */
export function fileName(given: string | undefined, otherwise: string): string {
  const last = (given ?? '').split(/[/\\]/).at(-1)!;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = last.replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  return clean === '' || clean === '.' || clean === '..' ? otherwise : clean.slice(-LONGEST);
}
