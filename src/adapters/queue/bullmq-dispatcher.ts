import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { RetortError } from '../../errors.ts';
import type { Dispatch, Dispatcher, WorkerPresence } from '../../service/ports.ts';
import { producerConnection, reachable } from './connection.ts';
import { entryName, PREFIX, PRESENCE_KEY, PRESENCE_MS, type QueueDevice, queueName } from './queue-names.ts';

/** Smaller goes first; an entry without any would go before all others. */
const PRIORITY = { high: 10, normal: 20, low: 30 } as const;

const devices = ['cpu', 'cuda'] as const;

type Entry = Pick<Dispatch, 'id' | 'dispatch'>;

/**
 * Puts jobs into BullMQ queues. Entries hold ids only and vanish when they are finished, so a queue holds nothing that
 * the JobStore does not. Every failure to reach Redis is QUEUE_UNAVAILABLE.
 */
export class BullDispatcher implements Dispatcher {
  readonly #connection: Redis;
  readonly #queues: Readonly<Record<QueueDevice, Queue>>;

  private constructor(connection: Redis) {
    this.#connection = connection;
    const queue = (device: QueueDevice): Queue => {
      const made = new Queue(queueName(device), { connection: this.#connection, prefix: PREFIX });
      // Told by the calls that fail; without a listener it would end the process.
      made.on('error', () => {});
      return made;
    };
    this.#queues = { cpu: queue('cpu'), cuda: queue('cuda') };
  }

  static async open(url: string): Promise<BullDispatcher> {
    return new BullDispatcher(await reachable(producerConnection(url)));
  }

  async add(dispatch: Dispatch, delayMs = 0): Promise<void> {
    const { id, dispatch: number, priority } = dispatch;
    await reaching(async () => {
      const queue = this.#queues[await this.#deviceFor(dispatch)];
      await queue.add('job', { id, dispatch: number } satisfies Entry, {
        jobId: entryName(dispatch),
        priority: PRIORITY[priority],
        delay: delayMs,
        // Retries are ours: an entry is worked on once.
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
    });
  }

  async where(entry: Entry): Promise<QueueDevice | undefined> {
    const job = await this.#find(entry);
    return devices.find((device) => queueName(device) === job?.queueName);
  }

  async remove(entry: Entry): Promise<void> {
    const job = await this.#find(entry);
    // A locked entry is being worked on; its worker sees what the job has become, and so do those of its groups.
    if (!job || (await reaching(() => job.isActive()))) return;
    await reaching(() => job.removeUnprocessedChildren());
    await job.remove({ removeChildren: false }).catch(() => {});
  }

  async counts(device?: QueueDevice): Promise<{ readonly waiting: number; readonly active: number }> {
    const counts = await reaching(() =>
      Promise.all(
        (device ? [this.#queues[device]] : Object.values(this.#queues)).map((queue) =>
          queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active'),
        ),
      ),
    );
    const sum = (names: readonly string[]): number =>
      counts.reduce((total, each) => names.reduce((all, name) => all + (each[name] ?? 0), total), 0);
    return { waiting: sum(['waiting', 'prioritized', 'delayed']), active: sum(['active']) };
  }

  async workers(): Promise<readonly WorkerPresence[]> {
    const since = Date.now() - PRESENCE_MS;
    const alive = await reaching(() => this.#connection.zrangebyscore(PRESENCE_KEY, since, '+inf'));
    return alive.map((text) => JSON.parse(text) as WorkerPresence);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#queues).map((queue) => queue.close()));
    this.#connection.disconnect();
  }

  async #deviceFor({ device }: Dispatch): Promise<QueueDevice> {
    if (device !== 'auto') return device;
    return (await this.workers()).some(({ slots }) => (slots.cuda ?? 0) > 0) ? 'cuda' : 'cpu';
  }

  async #find(entry: Entry): Promise<Job | undefined> {
    const found = await reaching(() =>
      Promise.all(Object.values(this.#queues).map((queue) => queue.getJob(entryName(entry)))),
    );
    return found.find((job) => job !== undefined && job !== null);
  }
}

async function reaching<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    throw new RetortError('QUEUE_UNAVAILABLE', 'the queue (Redis) cannot be reached', {
      cause,
      hint: 'Jobs that were accepted are kept and start when it is back.',
    });
  }
}
