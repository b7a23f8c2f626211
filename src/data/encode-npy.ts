const HEAD = 128;

/** Bytes as an .npy file (version 1) of uint8 in C order. */
export function encodeNpy(dims: readonly number[], bytes: Uint8Array): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${dims.map((dim) => `${dim},`).join(' ')}), }`;
  const whole = new Uint8Array(HEAD + bytes.length).fill(0x20, 0, HEAD);
  whole.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, HEAD - 10, 0]);
  whole.set(new TextEncoder().encode(text), 10);
  whole[HEAD - 1] = 0x0a;
  whole.set(bytes, HEAD);
  return whole;
}

/** What `encodeNpy` was given. */
export const npyBytes = (file: Uint8Array): Uint8Array => file.subarray(HEAD);
