import { RetortError } from '../../errors.ts';

/** Record ids are words joined by '/', so that they name a place in any store and nothing outside it. */
export function recordName(id: string): string {
  const words = id.split('/');
  const safe = words.every((word) => /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}$/.test(word));
  if (!safe || id.length > 400) {
    throw new RetortError('STORE_MISSING', `"${id.slice(0, 80)}" is no record id`, {
      hint: 'Ids are letters, digits, ".", "_" and "-", in parts joined by "/".',
    });
  }
  return id;
}
