/**
 * What is wrong with the numbers of a spec that float32, in which everything is trained, cannot hold: it would take a huge one
 * for infinity and a tiny one for 0. With their paths.
 */
export function outsideFloat32(value: unknown, path = ''): string[] {
  if (typeof value === 'number') {
    const held = Math.fround(value);
    if (Number.isFinite(held) && (held !== 0 || value === 0)) return [];
    return [`${path} is ${value}, which is ${held} as a float32`];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) => outsideFloat32(v, `${path}/${key}`));
}
