import type { RetortClient } from '../../client/retort-client.ts';
import type { Distillation, Event } from '../../contract/distillation.ts';
import { RetortError } from '../../errors.ts';
import { errorOf, type Fault } from '../../service/fault.ts';
import type { CliIo } from '../command.ts';
import { progressObserver } from '../progress-bars.ts';
import { stageSummaries } from '../stage-summaries.ts';

/** Shows what a job on a server does until it ends; returns it if it succeeded, throws its error if not. */
export async function followJob(
  client: RetortClient,
  id: string,
  server: string,
  io: CliIo,
): Promise<Distillation> {
  const observer = progressObserver(io, stageSummaries);
  try {
    for await (const item of client.distillations.watch(id, { signal: io.signal })) {
      if (item.kind === 'progress') {
        const { stage, done, total } = item.progress;
        observer.progress(stage, done, total);
      } else if (item.event.type === 'stage') {
        const { name, state, milliseconds = 0 } = item.event.data as StageEvent;
        observer.stage(name, state, milliseconds);
      } else if (item.event.type === 'state') {
        const note = noteOf(item.event, id, server);
        if (note) observer.note(note);
      }
    }
    return ended(await client.distillations.get(id, { signal: io.signal }));
  } catch (error) {
    throw io.signal.aborted ? left(id, server) : error;
  } finally {
    observer.close();
  }
}

interface StageEvent {
  readonly name: string;
  readonly state: 'started' | 'skipped' | 'done';
  readonly milliseconds?: number;
}

/** States that explain why nothing moves, or why stages come again. */
function noteOf({ data }: Event, id: string, server: string): string | undefined {
  const { state, attempt } = data as { readonly state: string; readonly attempt: number };
  if (state === 'paused') return `paused; \`retort jobs resume ${id} --server ${server}\` goes on`;
  if (state === 'running' && attempt > 1) return `attempt ${attempt} goes on with it`;
  return undefined;
}

function ended(job: Distillation): Distillation {
  if (job.state === 'succeeded') return job;
  if (job.error) throw errorOf(job.error as Fault);
  throw new RetortError('CANCELLED', `the distillation ${job.id} is ${job.state}`, {
    hint: '`retort jobs retry` makes a new one of it; what is known already is not computed again.',
  });
}

/** What Ctrl-C does to a job on a server: nothing. */
function left(id: string, server: string): RetortError {
  const verb = (name: string): string => `\`retort jobs ${name} ${id} --server ${server}\``;
  return new RetortError('CANCELLED', `no longer watching ${id}; it goes on on the server`, {
    hint: `${verb('watch')} shows it again, ${verb('cancel')} stops it.`,
  });
}
