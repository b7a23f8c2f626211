// One attempt at one job, in a process of its own: started by the supervisor, told what to do over IPC, gone afterwards.
import { localFacilities, localTools } from '../src/adapters/local-tools.ts';
import { RetortError } from '../src/errors.ts';
import { runJourney } from '../src/pipeline/run.ts';
import type { Tools } from '../src/pipeline/stage.ts';
import { faultOf } from '../src/service/fault.ts';
import { resolveSpec } from '../src/spec/resolve-spec.ts';
import type { ResolvedSpec } from '../src/spec/resolved-spec.ts';
import type { Assignment, ChildMessage } from './messages.ts';
import { storesOfParent } from './stores-of-parent.ts';

const ALIVE_EVERY_MS = 1000;
const PROGRESS_EVERY_MS = 250;
const OFFER_EVERY_MS = 1000;

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
// Ctrl-C reaches every process of a terminal; what it means here is the supervisor's to say.
process.on('SIGINT', () => {});
// Without a supervisor nobody could be told, and another attempt may already be under way.
process.on('disconnect', () => process.exit(1));

process.once('message', (assignment: Assignment) => {
  setInterval(() => say({ kind: 'alive' }), ALIVE_EVERY_MS).unref();
  work(assignment)
    .catch(told)
    .then(() => process.disconnect())
    .then(() => process.exit(0));
});

async function work(assignment: Assignment): Promise<void> {
  const { inputs, requested, help, offerAboveMs } = assignment;
  const tools = telling(localTools(await storesOfParent()));
  const spec = assignment.resolved ?? (await settle(assignment));
  if (!assignment.resolved) await say({ kind: 'resolved', spec });
  let progressAt = 0;
  let offeredAt = 0;
  const { publish } = await runJourney(
    {
      upload: { stored: inputs },
      requested,
      spec,
      signal: stop.signal,
      observer: {
        stage: (name, state, milliseconds) =>
          void say({ kind: 'stage', stage: { name, state, milliseconds } }),
        progress: (stage, done, total) => {
          const now = Date.now();
          if (now - progressAt < PROGRESS_EVERY_MS) return;
          progressAt = now;
          void say({ kind: 'progress', stage, done, total });
        },
        offer: (stage, key, { parts, ...left }) => {
          const now = Date.now();
          if (offerAboveMs === null || left.milliseconds < offerAboveMs || now - offeredAt < OFFER_EVERY_MS)
            return;
          offeredAt = now;
          void say({ kind: 'offer', offer: { ...left, stage, key, parts: parts() } });
        },
      },
      settled: (spec) => say({ kind: 'resolved', spec }),
      record: (type, data) => say({ kind: 'event', type, data }),
      ...(help ? { until: help.stage, parts: help.order } : {}),
    },
    tools,
  );
  await say({ kind: 'succeeded', artifacts: help ? [] : publish.artifacts });
}

/** Every "auto" settled for this machine and the slot that was given. */
async function settle({ requested, device, threads }: Assignment): Promise<ResolvedSpec> {
  const facilities = await localFacilities(requested);
  const devices =
    device === 'cuda'
      ? facilities.devices
      : { ...facilities.devices, cuda: { available: false, why: 'this worker gave the job a CPU slot' } };
  const spec = resolveSpec(requested, { ...facilities, devices });
  return spec.train.threads > 0 ? spec : { ...spec, train: { ...spec.train, threads } };
}

/** Says `saved` when partial or finished work of a stage lies in the store. */
function telling(tools: Tools): Tools {
  const { jobs } = tools;
  const put: typeof jobs.put = async (record) => {
    const written = await jobs.put(record);
    await say({ kind: 'saved' });
    return written;
  };
  return {
    ...tools,
    jobs: {
      put,
      get: (id) => jobs.get(id),
      list: (filter) => jobs.list(filter),
      delete: (id) => jobs.delete(id),
      append: (id, event, after) => jobs.append(id, event, after),
      events: (id, after) => jobs.events(id, after),
    },
  };
}

function told(thrown: unknown): Promise<void> {
  if (thrown instanceof RetortError && thrown.code === 'CANCELLED' && stop.signal.aborted) {
    return say({ kind: 'stopped' });
  }
  const retryable = thrown instanceof RetortError && thrown.entry.retry === 'later';
  const stack = thrown instanceof Error ? thrown.stack : String(thrown);
  return say({ kind: 'failed', fault: faultOf(thrown), retryable, ...(stack ? { stack } : {}) });
}

/** Resolves when the message is on its way. */
function say(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) return resolve();
    process.send!(message, undefined, undefined, () => resolve());
  });
}
