import { STORES } from '../src/adapters/processes/child-environment.ts';
import type { Stores } from '../src/adapters/storage/fs-stores.ts';
import { openStores, type StoreSettings } from '../src/adapters/storage/index.ts';

/** The stores of the process that started this one. Its settings were checked there: reading them costs nothing here. */
export function storesOfParent(): Promise<Stores> {
  return openStores(JSON.parse(process.env[STORES]!) as StoreSettings, { check: false });
}
