import { readFile } from 'node:fs/promises';
import { RetortError } from '../errors.ts';

/** A JSON file given by the user. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new RetortError('FILE_UNREADABLE', `${path}: ${cause.message}`, {
      cause,
      hint: 'Check the path and its permissions.',
    });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RetortError('SPEC_INVALID', `${path} is not JSON: ${(cause as Error).message}`, {
      cause,
      hint: 'The smallest spec is {"version": 1}.',
    });
  }
}
