import type { LayerEnd } from '../onnx/layer-ends.ts';

/** Inner layers taught at most: as published, one behind each part of the network but the last. */
const MOST = 3;

/**
 * The layers that `auto` takes where a network teaches itself: the deepest one last, in front of it those nearest to a
 * quarter, a half and three quarters of its depth, or all where they are fewer. Less than two where there is no inner one.
 * @param ends by depth
 */
export function innerLayers(ends: readonly LayerEnd[]): LayerEnd[] {
  const deepest = ends.at(-1);
  if (!deepest) return [];
  const inner = ends.slice(0, -1);
  if (inner.length <= MOST) return [...inner, deepest];
  const chosen = new Set<LayerEnd>();
  for (let part = 1; part <= MOST; part++) {
    const wanted = (part / (MOST + 1)) * deepest.depth;
    const apart = ({ depth }: LayerEnd): number => Math.abs(depth - wanted);
    const open = inner.filter((end) => !chosen.has(end));
    chosen.add(open.reduce((best, end) => (apart(end) < apart(best) ? end : best)));
  }
  return [...inner.filter((end) => chosen.has(end)), deepest];
}
