import type { BullConsumer, Entry } from '../src/adapters/queue/bullmq-consumer.ts';
import type { Config } from '../src/config.ts';
import { RetortError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import { Attempt, type AttemptTools } from '../src/service/attempt.ts';
import { dispatchOf } from '../src/service/jobs.ts';
import type { Dispatcher, Notifier } from '../src/service/ports.ts';
import type { Ending } from '../src/service/transitions.ts';
import { AttemptProcess } from './attempt-process.ts';
import type { ChildMessage } from './messages.ts';

export interface SupervisorOptions extends AttemptTools {
  readonly consumer: BullConsumer;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly config: Config;
  readonly log: Log;
  /** host:pid, as in the job record. */
  readonly name: string;
}

const LOOK_EVERY_MS = 1000;
/** A cancelled job needs no checkpoint, but one in the middle of a write may finish it (P6: 3 s in all). */
const CANCEL_GRACE_MS = 1500;
const RETRY_DELAYS_MS = [5000, 20_000, 60_000];

/** Takes jobs from the queue and has each worked on by a fresh child; itself it computes nothing. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Set<AttemptProcess>();
  #draining = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.consumer.start((entry, lost) => this.#work(entry, lost));
  }

  /** Stops every child at a checkpoint, hands the jobs back to the queue, and returns when all is handed over. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const child of this.#running) child.stop(this.#options.config.RETORT_DRAIN_SECONDS * 1000);
    await this.#options.consumer.close();
  }

  async #work(entry: Entry, lost: AbortSignal): Promise<void> {
    const { config, log, name } = this.#options;
    if (this.#draining) return;
    const attempt = await Attempt.claim(entry, name, this.#options);
    if (!attempt) return;
    const told = log.child({ job: attempt.id, attempt: attempt.number });
    told.info({ device: entry.device }, 'attempt begins');
    const { job } = attempt;
    const slots = entry.device === 'cuda' ? config.RETORT_SLOTS_CUDA : config.RETORT_SLOTS_CPU;
    const child = new AttemptProcess({
      assignment: {
        inputs: job.inputs,
        requested: job.requested,
        resolved: job.resolved,
        device: entry.device,
        threads: slots > 1 ? Math.max(1, Math.floor(config.cores / slots)) : 0,
      },
      hangMs: config.RETORT_HANG_SECONDS * 1000,
      onMessage: (message) =>
        void this.#keep(attempt, message).catch((error: unknown) => {
          told.warn({ err: error }, 'a write of this attempt was refused');
          child.kill(error instanceof RetortError ? error.message : 'its job could not be written');
        }),
    });
    this.#running.add(child);
    lost.addEventListener('abort', () => child.kill('the queue gave the job to another worker'));
    if (this.#draining) child.stop(config.RETORT_DRAIN_SECONDS * 1000);
    const unwatch = this.#watch(attempt, child);
    try {
      const ending = await child.ended;
      if (ending.kind === 'crashed') told.warn({ detail: ending.detail }, 'attempt crashed');
      if (child.stack && ending.kind === 'failed' && ending.fault.code === 'INTERNAL')
        told.error({ stack: child.stack }, 'attempt failed by a bug');
      await this.#finish(attempt, ending);
      told.info({ ending: ending.kind }, 'attempt ended');
    } catch (error) {
      // Superseded, or the store is away: the job record is as it was, and its next attempt goes on from there.
      told.warn({ err: error }, 'the end of this attempt could not be written');
    } finally {
      unwatch();
      this.#running.delete(child);
    }
  }

  async #finish(attempt: Attempt, ending: Ending): Promise<void> {
    const { dispatcher, log } = this.#options;
    const job = await attempt.finish(ending);
    if (job.state !== 'queued') return;
    const delay =
      ending.kind === 'stopped' ? 0 : RETRY_DELAYS_MS[Math.min(job.failures + job.crashes, 3) - 1];
    await dispatcher
      .add(dispatchOf(job), delay ?? 0)
      .catch((error: unknown) => log.warn({ err: error, job: job.id }, 'left to the reconciler'));
  }

  /** Does what the user wishes meanwhile: looks when told to, and every second anyway. */
  #watch(attempt: Attempt, child: AttemptProcess): () => void {
    const { config, notifier } = this.#options;
    const look = (): void =>
      void attempt.current().then(
        (job) => {
          if (job.attempt !== attempt.number) child.kill('another attempt has taken the job over');
          else if (job.state === 'cancelling') child.stop(CANCEL_GRACE_MS);
          else if (job.state === 'pausing') child.stop(config.RETORT_DRAIN_SECONDS * 1000);
        },
        () => {}, // Read again in a second; a store that stays away stops the attempt at its next write.
      );
    const timer = setInterval(look, LOOK_EVERY_MS);
    const unsubscribe = notifier.subscribe('control', (id) => {
      if (id === attempt.id) look();
    });
    return () => {
      clearInterval(timer);
      unsubscribe();
    };
  }

  #keep(attempt: Attempt, message: ChildMessage): Promise<unknown> {
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
      default:
        return Promise.resolve();
    }
  }
}
