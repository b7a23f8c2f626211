import type { OpDefinition } from './op.ts';

const definitions: readonly OpDefinition[] = [];

/** Operator definitions by `domain/op` (the default domain as `/op`). */
export const ops: ReadonlyMap<string, OpDefinition> = new Map(
  definitions.map((definition) => [`${definition.domain ?? ''}/${definition.op}`, definition]),
);
