import { hostname } from 'node:os';
import { openService } from '../src/adapters/open-service.ts';
import { BullConsumer } from '../src/adapters/queue/bullmq-consumer.ts';
import { onnxruntime } from '../src/adapters/runtime/onnxruntime.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import type { Config } from '../src/config.ts';
import type { Log } from '../src/log.ts';
import { every } from '../src/service/every.ts';
import { Reconciler } from '../src/service/jobs/reconciler.ts';
import { Supervisor } from './supervisor.ts';

const RECONCILE_EVERY_MS = 5000;

export interface WorkerHandle {
  /** Hands everything back and stops. */
  close(): Promise<void>;
}

/** A worker: its supervisor, and a reconciler that keeps the queue true to the records. */
export async function startWorker(config: Config, redisUrl: string, log: Log): Promise<WorkerHandle> {
  const service = await openService(config, redisUrl);
  const name = `${hostname()}:${process.pid}`;
  const onTrouble = (error: unknown): void => log.warn({ err: error }, 'the queue is in trouble');
  const cuda = onnxruntime.devices().some(({ device, available }) => device === 'cuda' && available);
  const slots = { cpu: config.RETORT_SLOTS_CPU, ...(cuda ? { cuda: config.RETORT_SLOTS_CUDA } : {}) };
  const consumer = new BullConsumer({ url: redisUrl, presence: { name, slots }, onTrouble });
  const { records, dispatcher, notifier } = service;
  const crashBudget = config.RETORT_CRASH_BUDGET;
  const supervisor = new Supervisor({
    records,
    dispatcher,
    notifier,
    consumer,
    config,
    log,
    name,
    clock: systemClock,
    crashBudget,
  });
  const reconciler = new Reconciler({ records, dispatcher, notifier, clock: systemClock, onTrouble });
  const reconciling = every(
    RECONCILE_EVERY_MS,
    async () => {
      const missing = await reconciler.run();
      if (missing > 0) log.warn({ missing }, 'open jobs were missing in the queue and were put back');
    },
    onTrouble,
  );
  supervisor.start();
  log.info({ name, slots }, 'worker is ready');
  return {
    async close() {
      await reconciling.stop();
      await supervisor.drain();
      await service.close();
    },
  };
}
