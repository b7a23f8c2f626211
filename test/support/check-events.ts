import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobEvent } from '../../src/pipeline/ports.ts';
import type { JobRecord } from '../../src/service/jobs/job.ts';
import type { JobBench } from './job-bench.ts';

/** Ids of the events are 1, 2, 3, ...; exactly one state event is terminal, and it is the last. */
export async function checkEvents(bench: JobBench, id: string): Promise<void> {
  const statesOf = (list: readonly JobEvent[]): string[] =>
    list.filter(({ type }) => type === 'state').map(({ data }) => (data as JobRecord).state);
  const ends = (state: string): boolean => ['succeeded', 'failed', 'cancelled'].includes(state);
  // The last event follows the record within milliseconds, or, where a process died in between, within seconds.
  const latest = performance.now() + 10_000;
  let events = await bench.jobs.events(id);
  while (!statesOf(events).some(ends) && performance.now() < latest) {
    await sleep(20);
    events = await bench.jobs.events(id);
  }
  assert.deepEqual(
    events.map((event) => event.id),
    events.map((_, i) => i + 1),
  );
  assert.equal(statesOf(events).filter(ends).length, 1);
  assert.equal(events.at(-1)!.type, 'state');
}
