/**
 * 64 bits of content as two 32-bit words, for finding equal records (no protection against forgers). Two MurmurHash3
 * (x86, 32 bit; Appleby 2011) with different seeds in one pass, the tail byte by byte.
 */
export function contentHash(
  bytes: Uint8Array,
  seed: readonly [number, number] = [0, 0x9747b28c],
): [number, number] {
  let a = seed[0] | 0;
  let b = seed[1] | 0;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    a ^= k;
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    // The second word mixes the rotated block, so that both do not collide together.
    b ^= (k << 7) | (k >>> 25);
    b = (Math.imul((b << 11) | (b >>> 21), 9) + 0x38495ab5) | 0;
  }
  for (let i = whole; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x5bd1e995);
    b = Math.imul(b ^ bytes[i]!, 0x01000193);
  }
  return [finish(a ^ bytes.length), finish(b ^ bytes.length)];
}

function finish(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
