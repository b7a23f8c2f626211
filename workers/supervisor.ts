import type { BullConsumer, Handled, JobEntry } from '../src/adapters/queue/bullmq-consumer.ts';
import type { Config } from '../src/config.ts';
import { RetortError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import { Attempt, type AttemptTools } from '../src/service/jobs/attempt.ts';
import type { JobRecord } from '../src/service/jobs/job.ts';
import { dispatchOf } from '../src/service/jobs/jobs.ts';
import { Sharing } from '../src/service/jobs/sharing.ts';
import type { Ending } from '../src/service/jobs/transitions.ts';
import type { Dispatcher, Notifier } from '../src/service/ports.ts';
import { assignmentOf } from './assignment-of.ts';
import { type AttemptProcess, CANCEL_GRACE_MS } from './attempt-process.ts';
import { Children } from './children.ts';
import { helpWith } from './help-with.ts';
import type { ChildMessage } from './messages.ts';
import { watch } from './watch.ts';

export interface SupervisorOptions extends AttemptTools {
  readonly consumer: BullConsumer;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly config: Config;
  readonly log: Log;
  /** host:pid, as in the job record. */
  readonly name: string;
}

const RETRY_DELAYS_MS = [5000, 20_000, 60_000];

/** Takes jobs from the queue and has each worked on by a fresh child; itself it computes nothing. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children: Children;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#children = new Children(options.config);
  }

  start(): void {
    this.#options.consumer.start(async (entry, lost) => {
      if (this.#children.draining) return 'again';
      return entry.kind === 'job'
        ? this.#work(entry, lost)
        : helpWith(entry, lost, this.#options, this.#children);
    });
  }

  /** Stops every child at a checkpoint, hands the jobs back to the queue, and returns when all is handed over. */
  async drain(): Promise<void> {
    this.#children.drain();
    await this.#options.consumer.close();
  }

  async #work(entry: JobEntry, lost: AbortSignal): Promise<Handled> {
    const { config, dispatcher, log, name } = this.#options;
    const attempt = await Attempt.claim(entry, name, this.#options);
    if (!attempt) return 'done';
    const told = log.child({ job: attempt.id, attempt: attempt.number });
    told.info({ device: entry.device }, 'attempt begins');
    const minMs = config.RETORT_FAN_OUT_SECONDS * 1000;
    const sharing = new Sharing(attempt, { dispatcher, device: entry.device, minMs });
    const child = this.#children.start(
      {
        assignment: { ...assignmentOf(attempt.job, entry.device, config), offerAboveMs: minMs },
        onMessage: (message) =>
          void this.#keep(attempt, message, sharing, child).catch((error: unknown) => {
            told.warn({ err: error }, 'a write of this attempt was refused');
            child.kill(error instanceof RetortError ? error.message : 'its job could not be written');
          }),
      },
      lost,
    );
    const unwatch = watch(attempt.id, this.#options.notifier, () => this.#look(attempt, child));
    try {
      const ending = sharing.ending(await child.ended);
      if (ending.kind === 'crashed') told.warn({ detail: ending.detail }, 'attempt crashed');
      if (child.stack && ending.kind === 'failed' && ending.fault.code === 'INTERNAL')
        told.error({ stack: child.stack }, 'attempt failed by a bug');
      const job = await this.#finish(attempt, ending);
      told.info({ ending: ending.kind }, 'attempt ended');
      return job.fanOut ? { waitFor: sharing.groups } : 'done';
    } catch (error) {
      // Superseded, or the store is away: the job record is as it was, and its next attempt goes on from there.
      told.warn({ err: error }, 'the end of this attempt could not be written');
      return 'done';
    } finally {
      unwatch();
    }
  }

  async #finish(attempt: Attempt, ending: Ending): Promise<JobRecord> {
    const { dispatcher, log } = this.#options;
    const job = await attempt.finish(ending);
    if (job.state !== 'queued') return job;
    const delay =
      ending.kind === 'stopped' ? 0 : RETRY_DELAYS_MS[Math.min(job.failures + job.crashes, 3) - 1];
    await dispatcher
      .add(dispatchOf(job), delay ?? 0)
      .catch((error: unknown) => log.warn({ err: error, job: job.id }, 'left to the reconciler'));
    return job;
  }

  /** Does what the user wishes. */
  async #look(attempt: Attempt, child: AttemptProcess): Promise<void> {
    const job = await attempt.current();
    if (job.attempt !== attempt.number) child.kill('another attempt has taken the job over');
    else if (job.state === 'cancelling') child.stop(CANCEL_GRACE_MS);
    else if (job.state === 'pausing') child.stop(this.#options.config.RETORT_DRAIN_SECONDS * 1000);
  }

  async #keep(
    attempt: Attempt,
    message: ChildMessage,
    sharing: Sharing,
    child: AttemptProcess,
  ): Promise<unknown> {
    switch (message.kind) {
      case 'resolved':
        return attempt.resolved(message.spec);
      case 'stage':
        return attempt.stage(message.stage);
      case 'progress':
        return attempt.progress(message.stage, message.done, message.total);
      case 'event':
        return attempt.event(message.type, message.data);
      case 'saved':
        return attempt.saved();
      case 'offer':
        if (!(await sharing.consider(message.offer))) return;
        await attempt.event('fan-out', { stage: message.offer.stage, groups: sharing.groups.length });
        return child.stop(this.#options.config.RETORT_DRAIN_SECONDS * 1000);
      default:
        return;
    }
  }
}
