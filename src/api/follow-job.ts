import type { JobEvent } from '../pipeline/ports.ts';
import { isTerminal } from '../service/jobs/job.ts';
import type { StateEvent } from '../service/jobs/job-records.ts';
import type { Notifier } from '../service/ports.ts';
import type { ApiContext } from './context.ts';
import type { EventStream } from './event-stream.ts';
import { eventView, progressView } from './views/distillation.ts';

/** How long a reader sleeps where no message wakes it, milliseconds. */
const LOOK_EVERY = 2000;

/**
 * Sends a job's events from `after` on as they come, with its progress in between, until its last one, or until its
 * reader may not read them any more, which is asked every LOOK_EVERY at the latest.
 */
export async function followJob(
  stream: EventStream,
  id: string,
  after: number,
  { distillations, notifier }: Pick<ApiContext, 'distillations' | 'notifier'>,
  mayRead: () => Promise<boolean>,
): Promise<void> {
  let last = after;
  let shown = '';
  while (!stream.signal.aborted) {
    if (!(await mayRead())) return stream.end();
    // Listening begins before reading: what happens in between wakes it again.
    const change = nextChange(notifier, id, stream.signal);
    const [job, events] = [await distillations.get(id), await distillations.events(id, last)];
    for (const event of events) {
      if (!(await stream.send({ id: event.id, event: event.type, data: eventView(event) }))) return;
      last = event.id;
      if (isLast(event)) return finish(stream);
    }
    const progress = JSON.stringify(job.progress);
    if (job.progress && progress !== shown)
      await stream.send({ event: 'progress', data: progressView(job.progress) });
    shown = progress;
    // A reader that has everything and comes back.
    if (isTerminal(job.state) && events.length === 0) {
      const all = await distillations.events(id);
      if (all.some(isLast) && last >= all.length) return finish(stream);
    }
    await change;
  }
}

async function finish(stream: EventStream): Promise<void> {
  await stream.send({ event: 'end', data: {} });
  stream.end();
}

const isLast = ({ type, data }: JobEvent): boolean =>
  type === 'state' && isTerminal((data as StateEvent).state);

function nextChange(notifier: Notifier, id: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      unsubscribe();
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const unsubscribe = notifier.subscribe('changed', (changed) => {
      if (changed === id) done();
    });
    const timer = setTimeout(done, LOOK_EVERY);
    signal.addEventListener('abort', done);
  });
}
