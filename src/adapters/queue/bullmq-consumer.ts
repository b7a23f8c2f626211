import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { WorkerPresence } from '../../service/ports.ts';
import { workerConnection } from './connection.ts';
import { PREFIX, PRESENCE_EVERY_MS, PRESENCE_KEY, type QueueDevice, queueName } from './queue-names.ts';

export interface Entry {
  readonly id: string;
  readonly dispatch: number;
  /** The device whose slot it takes. */
  readonly device: QueueDevice;
}

/** Works on one entry; `lost` is aborted when the queue has given the entry to someone else. */
export type EntryHandler = (entry: Entry, lost: AbortSignal) => Promise<void>;

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

/** Takes entries from the queues of this machine's devices: a BullMQ worker per device, one entry per slot. */
export class BullConsumer {
  readonly #options: ConsumerOptions;
  readonly #workers: Worker[] = [];
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
    if (this.#connection.status === 'ready')
      await this.#connection.zrem(PRESENCE_KEY, JSON.stringify(this.#options.presence)).catch(() => {});
    this.#connection.disconnect();
  }

  #worker(device: QueueDevice, concurrency: number, handle: EntryHandler): Worker {
    const process = async (job: Job<{ id: string; dispatch: number }>): Promise<void> => {
      const lost = new AbortController();
      this.#lost.set(job.id!, lost);
      try {
        await handle({ ...job.data, device }, lost.signal);
      } finally {
        this.#lost.delete(job.id!);
      }
    };
    const worker = new Worker(queueName(device), process, {
      connection: this.#connection,
      prefix: PREFIX,
      name: this.#options.presence.name,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_EVERY_MS,
      // How often a job may crash is our own account, in its record.
      maxStalledCount: 1_000_000,
      drainDelay: 5,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on('error', this.#options.onTrouble);
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
