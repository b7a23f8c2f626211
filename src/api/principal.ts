import { type Scope, scopes } from '../service/keys/api-key.ts';
import type { Identity } from '../service/keys/keys.ts';

/** Who a request is made by: an API key, with what it may do and how much of it. */
export type Principal = Pick<Identity, 'id' | 'scopes' | 'limits'>;

/** Everyone, where keys are off. */
export const localPrincipal: Principal = { id: 'local', scopes, limits: {} };

/** Who asks for what needs no key. */
export const nobody: Principal = { id: 'nobody', scopes: [], limits: {} };

/** `admin` may do everything, `write` may also read. */
export function maySee(principal: Principal, scope: Scope): boolean {
  const { scopes: held } = principal;
  return held.includes('admin') || held.includes(scope) || (scope === 'read' && held.includes('write'));
}

/** Whose resources a list shows: those of one owner, or of all. */
export const ownerFilter = (principal: Principal): { readonly owner?: string } =>
  maySee(principal, 'admin') ? {} : { owner: principal.id };
