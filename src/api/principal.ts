export type Scope = 'read' | 'write' | 'admin';

/** Who a request is made by: an API key, by its id. Structurally what the keys of the service hold. */
export interface Principal {
  readonly id: string;
  readonly scopes: readonly Scope[];
}

/** Everyone, where keys are off. */
export const localPrincipal: Principal = { id: 'local', scopes: ['read', 'write', 'admin'] };

/** Who asks for what needs no key. */
export const nobody: Principal = { id: 'nobody', scopes: [] };

/** `admin` may do everything, `write` may also read. */
export function maySee(principal: Principal, scope: Scope): boolean {
  const { scopes } = principal;
  return scopes.includes('admin') || scopes.includes(scope) || (scope === 'read' && scopes.includes('write'));
}

/** Whose resources a list shows: those of one owner, or of all. */
export const ownerFilter = (principal: Principal): { readonly owner?: string } =>
  maySee(principal, 'admin') ? {} : { owner: principal.id };
