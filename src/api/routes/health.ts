import { randomUUID } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { RetortError } from '../../errors.ts';
import { faultOf } from '../../service/fault.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';

const Check = Type.Object({ ok: Type.Boolean(), detail: Type.String() });
const Readiness = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Object({ running: Check, store: Check, queue: Check, disk: Check }),
});
type Check = Static<typeof Check>;

/** How long a check may take, milliseconds. */
const PATIENCE = 2_000;

/** For those who start, stop and balance processes. */
export function healthRoutes(app: Api, context: ApiContext): void {
  const open = { config: { access: 'open', rateLimit: false } } as const;
  app.get(
    '/healthz',
    {
      ...open,
      schema: {
        tags: ['service'],
        summary: 'Whether the process is alive',
        response: { 200: Type.Object({ alive: Type.Boolean() }) },
      },
    },
    async () => ({ alive: true }),
  );
  app.get(
    '/readyz',
    {
      ...open,
      schema: {
        tags: ['service'],
        summary: 'Whether the service can take work: its store, its queue, its disk',
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const [store, queue, disk] = await Promise.all([
        check(() => writeAndRead(context)),
        check(async () => {
          const { waiting, active } = await context.dispatcher.counts();
          return `${waiting} waiting, ${active} active`;
        }),
        check(() => room(context)),
      ]);
      const running: Check = context.lifecycle.stopping
        ? { ok: false, detail: 'the service is shutting down' }
        : { ok: true, detail: 'yes' };
      const checks = { running, store, queue, disk };
      const ready = Object.values(checks).every(({ ok }) => ok);
      return reply.code(ready ? 200 : 503).send({ ready, checks });
    },
  );
}

async function check(body: () => Promise<string>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, { ok: false, detail: `no answer within ${PATIENCE / 1000} s` });
  });
  const answer = body().then(
    (detail): Check => ({ ok: true, detail }),
    (error: unknown): Check => ({ ok: false, detail: faultOf(error).message }),
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

async function writeAndRead({ jobs, clock }: ApiContext): Promise<string> {
  const id = `probe/${randomUUID()}`;
  await jobs.put({ id, revision: 0, state: 'probe', value: { at: clock.now() } });
  await jobs.delete(id);
  return 'a record was written and removed';
}

async function room({ freeBytes, config }: ApiContext): Promise<string> {
  const free = await freeBytes();
  const mebibytes = `${Math.floor(free / 2 ** 20)} MiB free`;
  if (free >= config.RETORT_MIN_FREE_BYTES) return mebibytes;
  throw new RetortError('STORE_FULL', mebibytes);
}
