const HASH = /^[0-9a-f]{64}$/;

/**
 * Every string in a JSON value that could name a blob, keys included. Stage keys and fingerprints have the same shape
 * and are taken along: too much is kept rather than too little.
 */
export function* hashesIn(value: unknown): Iterable<string> {
  if (typeof value === 'string') {
    if (HASH.test(value)) yield value;
  } else if (Array.isArray(value)) {
    for (const item of value) yield* hashesIn(item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (HASH.test(key)) yield key;
      yield* hashesIn(item);
    }
  }
}
