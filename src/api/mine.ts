import { RetortError } from '../errors.ts';
import { maySee, type Principal } from './principal.ts';

/** The resource, if it is this principal's or the principal is an admin; others' are as if they were not there. */
export function mine<T extends { readonly id: string; readonly owner: string }>(
  principal: Principal,
  resource: T,
): T {
  if (resource.owner === principal.id || maySee(principal, 'admin')) return resource;
  throw new RetortError('NOT_FOUND', `there is no ${resource.id}`);
}
