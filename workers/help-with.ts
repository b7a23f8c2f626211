import type { Handled, PartsEntry } from '../src/adapters/queue/bullmq-consumer.ts';
import { GroupHelp } from '../src/service/jobs/group-help.ts';
import { assignmentOf } from './assignment-of.ts';
import { CANCEL_GRACE_MS } from './attempt-process.ts';
import type { Children } from './children.ts';
import type { SupervisorOptions } from './supervisor.ts';
import { watch } from './watch.ts';

/**
 * Has a group of parts made for a job that waits for them. Whatever comes of it, the job goes on: parts that are missing
 * it makes itself.
 */
export async function helpWith(
  entry: PartsEntry,
  lost: AbortSignal,
  options: SupervisorOptions,
  children: Children,
): Promise<Handled> {
  const { device, kind: _, ...group } = entry;
  const { config, log, notifier } = options;
  const help = new GroupHelp(group, options);
  const job = await help.wanted();
  if (!job) return 'done';
  const told = log.child({ job: job.id, attempt: group.attempt, group: group.group });
  told.info({ parts: group.order.parts.length }, 'help begins');
  const child = children.start(
    {
      assignment: {
        ...assignmentOf(job, device, config),
        help: { stage: group.stage, order: group.order },
      },
      onMessage: (message) => {
        if (message.kind !== 'progress' || message.stage !== group.stage) return;
        help.progress(message.done).catch((error: unknown) => told.warn({ err: error }, 'progress was lost'));
      },
    },
    lost,
  );
  const unwatch = watch(job.id, notifier, async () => {
    if (!(await help.wanted())) child.stop(CANCEL_GRACE_MS);
  });
  try {
    const ending = await child.ended;
    told.info({ ending: ending.kind }, 'help ended');
    if (ending.kind === 'succeeded') await help.finished();
    else if (ending.kind === 'crashed') told.warn({ detail: ending.detail }, 'a helper crashed');
    else if (ending.kind === 'failed')
      told.warn({ fault: ending.fault, stack: child.stack }, 'a helper failed');
    // A helper ends early because nobody waits any more, or because its worker must stop.
    const cutShort = ending.kind === 'stopped' || ending.kind === 'crashed';
    return cutShort && children.draining ? 'again' : 'done';
  } finally {
    unwatch();
  }
}
