import { sizeOf, type Tensor } from '../onnx/tensor.ts';

/** One named tensor within a unit's flat data. */
export interface Member {
  readonly name: string;
  readonly dims: readonly number[];
  /** In elements, from the start of the unit. */
  readonly offset: number;
  readonly size: number;
}

/** Tensors of one element type laid end to end, so that a step treats them as one. */
export interface Unit<Key> {
  readonly key: Key;
  readonly members: readonly Member[];
  readonly size: number;
}

/** Above this many elements a tensor forms a unit of its own: copying it costs more than the nodes it would save. */
const LARGE = 65_536;

/**
 * Packs float tensors into units: small ones with equal keys together, large ones alone. A step then spends a dozen
 * nodes per unit on updates and averages where it would spend a dozen per tensor (ResNet-8 has 30, ResNet-56 170).
 */
export function packUnits<Key>(
  tensors: readonly { readonly name: string; readonly value: Tensor; readonly key: Key }[],
): Unit<Key>[] {
  const groups = new Map<string, { key: Key; list: { name: string; dims: readonly number[] }[] }>();
  for (const { name, value, key } of tensors) {
    const group = sizeOf(value.dims) > LARGE ? `alone ${name}` : JSON.stringify(key);
    const known = groups.get(group) ?? { key, list: [] };
    known.list.push({ name, dims: value.dims });
    groups.set(group, known);
  }
  return [...groups.values()].map(({ key, list }) => {
    let size = 0;
    const members = list.map(({ name, dims }) => {
      const member = { name, dims, offset: size, size: sizeOf(dims) };
      size += member.size;
      return member;
    });
    return { key, members, size };
  });
}

/** Dimensions of a unit's data: a lone tensor keeps its own. */
export const unitDims = (unit: Unit<unknown>): readonly number[] =>
  unit.members.length === 1 ? unit.members[0]!.dims : [unit.size];
