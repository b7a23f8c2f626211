import type { Element } from './raw-array.ts';
import { unreadable } from './unreadable.ts';

/** The header of an .npy file (numpy.lib.format, versions 1 to 3). */
export interface NpyHeader {
  readonly element: Element | 'unicode' | 'bytes';
  /** Bytes of one element. */
  readonly itemBytes: number;
  readonly littleEndian: boolean;
  readonly dims: readonly number[];
  readonly headerBytes: number;
}

/** Most bytes a header is read from. */
export const npyHeadBytes = 4096;

export const isNpy = (head: Uint8Array): boolean =>
  head[0] === 0x93 && String.fromCharCode(...head.subarray(1, 6)) === 'NUMPY';

/** Parses the Python literal of an .npy header without evaluating anything. */
export function parseNpyHeader(head: Uint8Array, name: string): NpyHeader {
  if (!isNpy(head) || head.length < 12) throw unreadable(name, 'is not an NPY file');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = head[6]!;
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > head.length) throw unreadable(name, 'has a header that is cut short or too long');
  const text = new TextDecoder().decode(head.subarray(start, start + length));
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z])(\d*)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text);
  if (!descr || !order || !shape) {
    throw unreadable(name, 'holds no plain numeric array', 'Save it as numbers, not as objects or records.');
  }
  const dims = [...shape[1]!.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  if (order[1] === 'True' && dims.length > 1) {
    throw unreadable(name, 'is in Fortran order', 'Save numpy.ascontiguousarray(array).');
  }
  const [, mark, kind, digits] = descr as unknown as [string, string, string, string];
  const shared = { littleEndian: mark !== '>', dims, headerBytes: start + length };
  if (kind === 'U') return { element: 'unicode', itemBytes: 4 * Number(digits), ...shared };
  if (kind === 'S') return { element: 'bytes', itemBytes: Number(digits), ...shared };
  const element = (kind + digits) as Element;
  if (!['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8', 'b1'].includes(element)) {
    throw unreadable(name, `has element type ${kind}${digits}, which is no number or text`);
  }
  return { element, itemBytes: Number(digits), ...shared };
}
