import { mkdir, statfs } from 'node:fs/promises';
import { SendWebhook } from '../adapters/http/send-webhook.ts';
import { openService } from '../adapters/open-service.ts';
import { ProcessSandbox } from '../adapters/processes/process-sandbox.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { buildApp } from '../api/app.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { every } from '../service/every.ts';
import { Keys } from '../service/keys/keys.ts';
import { reconcile } from '../service/reconcile.ts';
import { Retention } from '../service/retention/retention.ts';
import { Deliverer } from '../service/webhooks/deliverer.ts';
import { version } from './version.ts';

const RECONCILE_EVERY_MS = 5000;
const DELIVER_EVERY_MS = 1000;

export interface RunningApi {
  readonly url: string;
  /** Ends streams, lets running requests finish, takes no new ones. */
  close(): Promise<void>;
}

/** The API as a listening server, with what has to be done now and then beside it: reconcile, deliver, sweep. */
export async function startApi(config: Config, redisUrl: string, log: Log): Promise<RunningApi> {
  await mkdir(config.dataFolder, { recursive: true });
  const clock = systemClock;
  const service = await openService(config, redisUrl);
  const { blobs, jobs, records, dispatcher, notifier } = service;
  const sandbox = new ProcessSandbox({ config });
  const keys = new Keys({ jobs, clock });
  const app = await buildApp({
    ...service,
    config,
    log,
    sandbox,
    clock,
    async freeBytes() {
      const { bavail, bsize } = await statfs(config.dataFolder);
      return bavail * bsize;
    },
    verifyKey: (token) => keys.verify(token),
  });
  const onTrouble = (error: unknown): void => log.warn({ err: error }, 'work in the background failed');
  const deliverer = new Deliverer({
    jobs,
    clock,
    sender: new SendWebhook({ allowPrivate: config.RETORT_WEBHOOK_PRIVATE === '1' }),
    userAgent: `retort/${version}`,
    onTrouble,
  });
  const retention = new Retention({
    jobs,
    blobs,
    clock,
    rules: {
      stagesMs: config.RETORT_RETAIN_STAGES_DAYS * 86_400_000,
      graceMs: config.RETORT_SWEEP_GRACE_SECONDS * 1000,
    },
  });
  const sweep = async (): Promise<void> => {
    const swept = await retention.sweep({ now: clock.now() });
    if (swept) log.info(swept, 'swept');
  };
  const chores = [
    every(
      RECONCILE_EVERY_MS,
      async () => void (await reconcile({ records, dispatcher, notifier, clock })),
      onTrouble,
    ),
    // A receiver that hangs must not hold up the others: a tick may overlap the one before.
    every(DELIVER_EVERY_MS, async () => void deliverer.tick().catch(onTrouble), onTrouble),
    every(config.RETORT_SWEEP_SECONDS * 1000, sweep, onTrouble),
  ];
  const url = await app.listen({ host: config.RETORT_HOST, port: config.RETORT_PORT });
  let closed: Promise<void> | undefined;
  return {
    url,
    close() {
      closed ??= (async () => {
        await app.close();
        await Promise.all(chores.map((chore) => chore.stop()));
        await deliverer.idle();
        await sandbox.close();
        await service.close();
      })();
      return closed;
    },
  };
}
