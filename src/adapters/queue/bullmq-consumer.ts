import { type Job, Queue, WaitingChildrenError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Dispatch, PartGroup, WorkerPresence } from '../../service/ports.ts';
import { workerConnection } from './connection.ts';
import {
  groupName,
  PREFIX,
  PRESENCE_EVERY_MS,
  PRESENCE_KEY,
  type QueueDevice,
  queueName,
} from './queue-names.ts';

/** What a worker is given; `device` is the one whose slot it takes. */
export type Entry = JobEntry | PartsEntry;

export interface JobEntry extends Pick<Dispatch, 'id' | 'dispatch'> {
  readonly kind: 'job';
  readonly device: QueueDevice;
}

export interface PartsEntry extends PartGroup {
  readonly kind: 'parts';
  readonly device: QueueDevice;
}

/** What becomes of an entry: gone, back to the queue, or asleep without a slot until these groups are done or failed. */
export type Handled = 'done' | 'again' | { readonly waitFor: readonly PartGroup[] };

/** Works on one entry; `lost` is aborted when the queue has given the entry to someone else. */
export type EntryHandler = (entry: Entry, lost: AbortSignal) => Promise<Handled>;

export interface ConsumerOptions {
  readonly url: string;
  readonly presence: WorkerPresence;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Renewed every quarter to half of it. A worker that dies is noticed when its lock has run out and two looks at stalled
 * entries have passed; a Redis that stands still for less than half of it is not noticed (docs/adr/0006).
 */
const LOCK_MS = 20_000;
const STALLED_EVERY_MS = 4000;
/** Workers a group may cost before it is left to its job, whose crashes are counted in its record. */
const GROUP_STALLS = 2;

/** Takes entries from the queues of this machine's devices: a BullMQ worker per device, one entry per slot. */
export class BullConsumer {
  readonly #options: ConsumerOptions;
  readonly #workers: Worker[] = [];
  readonly #queues: Queue[] = [];
  readonly #lost = new Map<string, AbortController>();
  readonly #connection: Redis;
  #showing: NodeJS.Timeout | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#connection = workerConnection(options.url);
  }

  start(handle: EntryHandler): void {
    for (const [device, slots] of Object.entries(this.#options.presence.slots)) {
      if (slots > 0) this.#workers.push(this.#worker(device as QueueDevice, slots, handle));
    }
    const show = (): void => void this.#show().catch(this.#options.onTrouble);
    show();
    this.#showing = setInterval(show, PRESENCE_EVERY_MS);
  }

  /** Takes no more entries, and waits for those in hand. */
  async close(): Promise<void> {
    clearInterval(this.#showing);
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await Promise.all(this.#queues.map((queue) => queue.close()));
    if (this.#connection.status === 'ready')
      await this.#connection.zrem(PRESENCE_KEY, JSON.stringify(this.#options.presence)).catch(() => {});
    this.#connection.disconnect();
  }

  #worker(device: QueueDevice, concurrency: number, handle: EntryHandler): Worker {
    const { onTrouble, presence } = this.#options;
    const shared = { connection: this.#connection, prefix: PREFIX };
    const queue = new Queue(queueName(device), shared);
    queue.on('error', onTrouble);
    this.#queues.push(queue);
    const process = async (job: Job, token?: string): Promise<void> => {
      const lost = new AbortController();
      this.#lost.set(job.id!, lost);
      try {
        await settle(job, token!, queue, () => handle({ ...job.data, kind: job.name, device }, lost.signal));
      } finally {
        this.#lost.delete(job.id!);
      }
    };
    const worker = new Worker(queueName(device), process, {
      ...shared,
      name: presence.name,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_EVERY_MS,
      // How often a job may crash is our own account, in its record.
      maxStalledCount: 1_000_000,
      drainDelay: 5,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on('error', onTrouble);
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) this.#lost.get(id)?.abort();
    });
    return worker;
  }

  async #show(): Promise<void> {
    await this.#connection.zadd(PRESENCE_KEY, Date.now(), JSON.stringify(this.#options.presence));
    await this.#connection.zremrangebyscore(PRESENCE_KEY, '-inf', Date.now() - 3_600_000);
  }
}

/** Has an entry handled and does with it what the handler says. BullMQ learns of a move by the error thrown after it. */
async function settle(job: Job, token: string, queue: Queue, handle: () => Promise<Handled>): Promise<void> {
  if (job.name === 'parts' && job.stalledCounter > GROUP_STALLS) return;
  // Groups of a worker that died before it could wait for them: nobody asks for their parts any more.
  if (job.name === 'job') await job.removeUnprocessedChildren();
  for (;;) {
    const handled = await handle();
    if (handled === 'done') return;
    if (handled === 'again') {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    await addGroups(job, queue, handled.waitFor);
    // False: all groups have ended already.
    if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
  }
}

/** Work that has begun goes before work of the same priority that has not: the groups, and the job when it is back. */
async function addGroups(job: Job, queue: Queue, groups: readonly PartGroup[]): Promise<void> {
  const priority = Math.max(1, (job.opts.priority ?? 1) - 1);
  await queue.addBulk(
    groups.map((group) => ({
      name: 'parts',
      data: group,
      opts: {
        jobId: groupName(group),
        parent: { id: job.id!, queue: job.queueQualifiedName },
        // What a group has not made, the job makes itself.
        ignoreDependencyOnFailure: true,
        priority,
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      },
    })),
  );
  await job.changePriority({ priority });
}
