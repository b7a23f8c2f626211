import { readFile, writeFile } from 'node:fs/promises';

const BEGIN = '<!-- begin: npm run bench -- methods -->';
const END = '<!-- end: npm run bench -- methods -->';

/** Puts text between the markers of a document, in the place of what stands there. */
export async function writeSection(path: string, text: string): Promise<void> {
  const document = await readFile(path, 'utf8');
  await writeFile(path, withSection(document, text));
}

export function withSection(document: string, text: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document has no section between ${BEGIN} and ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${document.slice(end)}`;
}
