import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config.ts';
import type { BlobStore, Clock, JobStore } from '../pipeline/ports.ts';
import type { JobRecords } from '../service/jobs/job-records.ts';
import type { Dispatcher, Notifier, Sandbox } from '../service/ports.ts';
import type { Webhooks } from '../service/webhooks/webhooks.ts';
import type { Principal } from './principal.ts';
import type { Times } from './times.ts';

/** What the composition root gives the API. */
export interface ApiDeps {
  readonly config: Config;
  readonly log: FastifyBaseLogger;
  readonly jobs: JobStore;
  readonly records: JobRecords;
  readonly webhooks: Webhooks;
  readonly blobs: BlobStore;
  readonly sandbox: Sandbox;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly clock: Clock;
  /** Bytes that can still be written where uploads go. */
  freeBytes(): Promise<number>;
  /** The key that a token belongs to. Needed where keys are demanded. */
  readonly verifyKey?: (token: string) => Promise<Principal | undefined>;
  readonly times?: Partial<Times>;
}
