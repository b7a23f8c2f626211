import type { Scope } from '../service/keys/api-key.ts';

/** Who may call a route: anyone, a key with the scope, or anyone where the service is reachable on loopback only. */
export type Access = 'open' | Scope | { readonly offLoopback: Scope };

/** The scope a key needs; undefined: no key at all. */
export function scopeOf(access: Access | undefined, method: string, loopback: boolean): Scope | undefined {
  if (access === 'open') return undefined;
  if (typeof access === 'object') return loopback ? undefined : access.offLoopback;
  return access ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write');
}

/** Whether an address to listen on, or a host name that was asked for, is this machine alone. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
