const kinds: readonly (readonly [string, (b: Uint8Array) => boolean])[] = [
  ['JPEG', (b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff],
  ['PNG', (b) => b[0] === 0x89 && text(b, 1, 'PNG\r\n')],
  ['GIF', (b) => text(b, 0, 'GIF8')],
  ['WebP', (b) => text(b, 0, 'RIFF') && text(b, 8, 'WEBP')],
  ['TIFF', (b) => text(b, 0, 'II*\0') || text(b, 0, 'MM\0*')],
  ['BMP', (b) => text(b, 0, 'BM') && b.length > 18 && b[14] === 40 && b[15] === 0],
];

/** The kind of picture these first bytes begin, or undefined. */
export const pictureKind = (head: Uint8Array): string | undefined => kinds.find(([, is]) => is(head))?.[0];

function text(bytes: Uint8Array, at: number, expected: string): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected.charCodeAt(i)) return false;
  return true;
}
