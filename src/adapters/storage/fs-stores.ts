import type { BlobStore, JobStore } from '../../pipeline/ports.ts';
import { FsBlobs } from './fs-blobs.ts';
import { FsJobs } from './fs-jobs.ts';

export interface Stores {
  readonly blobs: BlobStore;
  readonly jobs: JobStore;
}

/** Both stores in one folder. */
export const fsStores = (folder: string): Stores => ({
  blobs: new FsBlobs(folder),
  jobs: new FsJobs(folder),
});
