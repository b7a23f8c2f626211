import type { Config } from '../../config.ts';
import { fsStores, type Stores } from './fs-stores.ts';

/** The settings that say where the stores lie. */
export const storeSettings = [
  'RETORT_STORAGE',
  'RETORT_S3_BUCKET',
  'RETORT_S3_PREFIX',
  'RETORT_S3_ENDPOINT',
  'RETORT_S3_REGION',
  'RETORT_S3_CACHE_BYTES',
  'dataFolder',
] as const satisfies readonly (keyof Config)[];

export type StoreSettings = Pick<Config, (typeof storeSettings)[number]>;

export interface OpenOptions {
  /** Whether to ask a server if it can be used. Not needed in a child whose parent has asked. Default: yes. */
  readonly check?: boolean;
}

type Driver = (settings: StoreSettings, options: OpenOptions) => Promise<Stores>;

/** Where stores can lie, by RETORT_STORAGE. The AWS client takes its time to load, so it is loaded where it is used. */
const drivers: Readonly<Record<Config['RETORT_STORAGE'], Driver>> = {
  fs: async ({ dataFolder }) => fsStores(dataFolder),
  s3: async (settings, options) => (await import('./s3-stores.ts')).openS3Stores(settings, options),
};

/** The stores of the service as its settings say; SERVICE_SETUP where they cannot be used. */
export const openStores = (settings: StoreSettings, options: OpenOptions = {}): Promise<Stores> =>
  drivers[settings.RETORT_STORAGE](settings, options);
