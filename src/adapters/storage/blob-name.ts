import { RetortError } from '../../errors.ts';

/** Whether it is a sha256 in lower-case hex. */
export const isBlobName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

/** Refuses anything but a sha256 in lower-case hex, so that a blob name can never be a path. */
export function blobName(hash: string): string {
  if (!isBlobName(hash)) {
    throw new RetortError('STORE_MISSING', `"${hash.slice(0, 80)}" is no blob name (sha256, lower-case hex)`);
  }
  return hash;
}

export const missingBlob = (hash: string): RetortError =>
  new RetortError('STORE_MISSING', `no blob ${hash}`, {
    hint: 'The store was cleaned or belongs to another run; run the job again.',
  });
