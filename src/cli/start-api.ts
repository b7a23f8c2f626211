import { mkdir, statfs } from 'node:fs/promises';
import { SendWebhook } from '../adapters/http/send-webhook.ts';
import { openService, type Service } from '../adapters/open-service.ts';
import { ProcessSandbox } from '../adapters/processes/process-sandbox.ts';
import { systemClock } from '../adapters/system-clock.ts';
import type { Api } from '../api/api.ts';
import { buildApp } from '../api/app.ts';
import type { Config } from '../config.ts';
import { RetortError } from '../errors.ts';
import type { Log } from '../log.ts';
import { every } from '../service/every.ts';
import { Reconciler } from '../service/jobs/reconciler.ts';
import { Keys } from '../service/keys/keys.ts';
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
  const { jobs } = service;
  const sandbox = new ProcessSandbox({ config });
  const onTrouble = (error: unknown): void => log.warn({ err: error }, 'work in the background failed');
  const deliverer = new Deliverer({
    jobs,
    clock,
    sender: new SendWebhook({ allowPrivate: config.RETORT_WEBHOOK_PRIVATE === '1' }),
    userAgent: `retort/${version}`,
    onTrouble,
  });
  const chores = startChores(service, deliverer, { config, log, onTrouble });
  const keys = new Keys({ jobs, clock });
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(config.dataFolder);
    return bavail * bsize;
  };
  let app: Api | undefined;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await app?.close();
    await Promise.all(chores.map((chore) => chore.stop()));
    await deliverer.idle();
    await sandbox.close();
    await service.close();
  };
  try {
    const verifyKey = (token: string) => keys.verify(token);
    app = await buildApp({ ...service, config, log, sandbox, clock, freeBytes, verifyKey });
    const url = await listen(app, config);
    return {
      url,
      close() {
        closed ??= close();
        return closed;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ChoreTools {
  readonly config: Config;
  readonly log: Log;
  readonly onTrouble: (error: unknown) => void;
}

function startChores(service: Service, deliverer: Deliverer, { config, log, onTrouble }: ChoreTools) {
  const clock = systemClock;
  const reconciler = new Reconciler({ ...service, clock, onTrouble });
  const retention = new Retention({
    ...service,
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
  return [
    every(RECONCILE_EVERY_MS, async () => void (await reconciler.run()), onTrouble),
    // A receiver that hangs must not hold up the others: a tick may overlap the one before.
    every(DELIVER_EVERY_MS, async () => void deliverer.tick().catch(onTrouble), onTrouble),
    every(config.RETORT_SWEEP_SECONDS * 1000, sweep, onTrouble),
  ];
}

async function listen(app: Api, { RETORT_HOST: host, RETORT_PORT: port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND'].includes(code ?? '')) throw cause;
    throw new RetortError('SERVICE_SETUP', `the API cannot listen on ${host}, port ${port}: ${message}`, {
      cause,
      hint: 'Set RETORT_HOST and RETORT_PORT to an address of this machine that is free.',
    });
  }
}
