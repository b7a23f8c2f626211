/** What the protobuf reader and writer share: the shape of the generated field table, and tags. */

export interface FieldInfo {
  readonly number: number;
  readonly type: 'int32' | 'int64' | 'uint64' | 'float' | 'double' | 'string' | 'bytes' | 'message';
  readonly repeated?: true;
}

/** One message of `fields.gen.ts`: only the fields we interpret. */
export interface MessageInfo {
  readonly message: string;
  readonly fields: Readonly<Record<string, FieldInfo>>;
}

export type FieldName<M extends MessageInfo> = keyof M['fields'] & string;

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

const wires = {
  int32: 0,
  int64: 0,
  uint64: 0,
  float: 5,
  double: 1,
  string: 2,
  bytes: 2,
  message: 2,
} as const;

/** The wire type one value of this field is written with. */
export const wireOf = (field: FieldInfo): number => wires[field.type];

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export function utf8(bytes: Uint8Array, mode: 'lenient'): string;
export function utf8(bytes: Uint8Array): string | undefined;
/** Text; undefined where the bytes are none, unless any reading will do. */
export function utf8(bytes: Uint8Array, mode?: 'lenient'): string | undefined {
  if (mode) return lenient.decode(bytes);
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

const tables = new WeakMap<MessageInfo, ReadonlyMap<number, readonly [name: string, info: FieldInfo]>>();

/** The fields of a message by number. */
export function fieldsByNumber(
  info: MessageInfo,
): ReadonlyMap<number, readonly [name: string, info: FieldInfo]> {
  let table = tables.get(info);
  if (!table) {
    table = new Map(Object.entries(info.fields).map(([name, field]) => [field.number, [name, field]]));
    tables.set(info, table);
  }
  return table;
}

/** One piece as it is, several joined into new bytes. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
