import { STORES } from '../../src/adapters/processes/child-environment.ts';
import { fsStores, type Stores } from '../../src/adapters/storage/fs-stores.ts';
import type { Config } from '../../src/config.ts';

/** The stores of the process that started this one. Its settings were checked there: reading them costs nothing here. */
export function storesOfParent(): Stores {
  const { dataFolder } = JSON.parse(process.env[STORES]!) as Pick<Config, 'dataFolder'>;
  return fsStores(dataFolder);
}
