import type { Config } from '../../config.ts';
import type { BlobStore, JobStore } from '../../pipeline/ports.ts';
import { FsBlobs } from './fs-blobs.ts';
import { FsJobs } from './fs-jobs.ts';

export interface Stores {
  readonly blobs: BlobStore;
  readonly jobs: JobStore;
}

/** Where stores can lie, by RETORT_STORAGE. The AWS client takes its time to load, so it is loaded where it is used. */
const drivers: Readonly<Record<Config['RETORT_STORAGE'], (config: Config) => Promise<Stores>>> = {
  fs: async ({ dataFolder }) => ({ blobs: new FsBlobs(dataFolder), jobs: new FsJobs(dataFolder) }),
  s3: async (config) => (await import('./s3-stores.ts')).openS3Stores(config),
};

/** The stores of the service as its settings say; SERVICE_SETUP where they cannot be used. */
export const openStores = (config: Config): Promise<Stores> => drivers[config.RETORT_STORAGE](config);
