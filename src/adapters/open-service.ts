import type { Config } from '../config.ts';
import type { BlobStore, JobStore } from '../pipeline/ports.ts';
import type { JobRecord } from '../service/job.ts';
import { JobRecords } from '../service/job-records.ts';
import type { Dispatcher, Notifier } from '../service/ports.ts';
import { BullDispatcher } from './queue/bullmq-dispatcher.ts';
import { RedisNotifier } from './queue/redis-notifier.ts';
import { FsBlobs } from './storage/fs-blobs.ts';
import { FsJobs } from './storage/fs-jobs.ts';
import { systemClock } from './system-clock.ts';

/** What the API and the workers share: the stores, the queue, the records. */
export interface Service {
  readonly blobs: BlobStore;
  readonly jobs: JobStore;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly records: JobRecords;
  close(): Promise<void>;
}

/** Opens them for one process of the service. */
export async function openService(
  config: Config,
  redisUrl: string,
  onState: (job: JobRecord) => Promise<void>,
): Promise<Service> {
  const jobs = new FsJobs(config.dataFolder);
  const notifier = new RedisNotifier(redisUrl);
  const dispatcher = await BullDispatcher.open(redisUrl);
  return {
    blobs: new FsBlobs(config.dataFolder),
    jobs,
    dispatcher,
    notifier,
    records: new JobRecords({ jobs, notifier, clock: systemClock, onState }),
    async close() {
      await Promise.all([dispatcher.close(), notifier.close()]);
    },
  };
}
