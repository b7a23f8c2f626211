import type { Config } from '../config.ts';
import type { BlobStore, JobStore } from '../pipeline/ports.ts';
import { JobRecords } from '../service/jobs/job-records.ts';
import type { Dispatcher, Notifier } from '../service/ports.ts';
import { happeningOf } from '../service/webhooks/happening.ts';
import { Webhooks } from '../service/webhooks/webhooks.ts';
import { BullDispatcher } from './queue/bullmq-dispatcher.ts';
import { RedisNotifier } from './queue/redis-notifier.ts';
import { openStores } from './storage/index.ts';
import { systemClock } from './system-clock.ts';

/** What the API and the workers share: the stores, the queue, the records. */
export interface Service {
  readonly blobs: BlobStore;
  readonly jobs: JobStore;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly records: JobRecords;
  readonly webhooks: Webhooks;
  close(): Promise<void>;
}

/** Opens them for one process of the service. */
export async function openService(config: Config, redisUrl: string): Promise<Service> {
  const clock = systemClock;
  const { blobs, jobs } = await openStores(config);
  const webhooks = new Webhooks({ jobs, clock, allowPrivate: config.RETORT_WEBHOOK_PRIVATE === '1' });
  const dispatcher = await BullDispatcher.open(redisUrl);
  const notifier = new RedisNotifier(redisUrl);
  const records = new JobRecords({
    jobs,
    notifier,
    clock,
    async onState(job) {
      const reached = happeningOf(job, clock.now());
      if (reached) await webhooks.enqueue(job.owner, reached.event, reached.happening);
    },
  });
  return {
    blobs,
    jobs,
    dispatcher,
    notifier,
    records,
    webhooks,
    async close() {
      await Promise.all([dispatcher.close(), notifier.close()]);
    },
  };
}
