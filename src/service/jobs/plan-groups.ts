import type { Offer, OfferedPart } from '../../pipeline/offer.ts';

export interface GroupLimits {
  /** Work that takes one process less is not worth the start of others. */
  readonly minMs: number;
}

/** Work of one group: long enough to be worth a process, short enough that late workers and slow ones even out. */
const GROUP_MS = 120_000;
const PARTS_PER_SLOT = 2;

/**
 * Cuts what was offered into groups of neighbours with about equal work, as many for each slot; none where it is not
 * worth it: too little work, or too few parts or slots.
 */
export function planGroups(
  { parts, milliseconds }: Offer,
  slots: number,
  { minMs }: GroupLimits,
): readonly (readonly OfferedPart[])[] {
  if (slots < 2 || milliseconds < minMs || parts.length < PARTS_PER_SLOT * slots) return [];
  const rounds = Math.max(1, Math.ceil(milliseconds / slots / GROUP_MS));
  const count = Math.min(slots * rounds, Math.floor(parts.length / PARTS_PER_SLOT));
  const total = sizeOf(parts);
  const groups: OfferedPart[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const part of parts) {
    // By its middle, so that a part goes where most of it belongs.
    const at = Math.floor(((before + part.size / 2) / total) * count);
    groups[Math.min(at, count - 1)]!.push(part);
    before += part.size;
  }
  return groups.filter((group) => group.length > 0);
}

export const sizeOf = (parts: readonly OfferedPart[]): number =>
  parts.reduce((sum, { size }) => sum + size, 0);
