import { createHash } from 'node:crypto';
import type { ArtifactList, Distillation, Event, EventPage } from '../../src/contract/distillation.ts';

/** What an observer outside the service was promised and has seen: nothing here reads the service's own files. */
export class Ledger {
  readonly #url: string;
  /** Ids that were answered with 202. */
  readonly accepted = new Set<string>();
  /** Of those, the ones that a cancel was answered with 2xx. */
  readonly cancelled = new Set<string>();
  /** Ids of events each stream has seen, in the order they came. */
  readonly seen = new Map<string, number[]>();
  readonly #streams = new Set<AbortController>();

  constructor(url: string) {
    this.#url = url;
  }

  accept(id: string): void {
    this.accepted.add(id);
  }

  /** Follows a job's events over Server-Sent Events and connects again with Last-Event-ID wherever it is cut off. */
  follow(id: string, dropEveryMs: number): Promise<void> {
    const ids: number[] = [];
    this.seen.set(id, ids);
    const stop = new AbortController();
    this.#streams.add(stop);
    return this.#follow(id, ids, stop.signal, dropEveryMs).finally(() => this.#streams.delete(stop));
  }

  stopFollowing(): void {
    for (const stream of this.#streams) stream.abort();
  }

  async #follow(id: string, ids: number[], stop: AbortSignal, dropEveryMs: number): Promise<void> {
    while (!stop.aborted) {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(dropEveryMs)]);
      try {
        const headers = { accept: 'text/event-stream', 'last-event-id': `${ids.at(-1) ?? 0}` };
        const response = await fetch(`${this.#url}/v1/distillations/${id}/events`, { headers, signal });
        if (response.ok && (await read(response, ids))) return;
      } catch {
        // Dropped by us, or the API is down: that is what reconnecting is for.
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Every broken promise, in words; empty when all were kept. */
  async verdict(): Promise<string[]> {
    const broken: string[] = [];
    for (const id of this.accepted) broken.push(...(await this.#check(id)).map((why) => `${id}: ${why}`));
    return broken;
  }

  async #check(id: string): Promise<string[]> {
    const response = await fetch(`${this.#url}/v1/distillations/${id}`);
    if (response.status !== 200) return [`P1: was accepted, is answered with ${response.status}`];
    const job = (await response.json()) as Distillation;
    const broken: string[] = [];
    if (!['succeeded', 'failed', 'cancelled'].includes(job.state)) broken.push(`P2: ended as ${job.state}`);
    if (job.state === 'failed') broken.push(`failed: ${job.error?.code} ${job.error?.message}`);
    if (job.state === 'cancelled' && !this.cancelled.has(id)) broken.push('was cancelled by nobody');
    const events = await this.#events(id);
    const terminal = events.filter(
      ({ type, data }) =>
        type === 'state' && ['succeeded', 'failed', 'cancelled'].includes((data as { state: string }).state),
    );
    if (terminal.length !== 1) broken.push(`P2: ${terminal.length} terminal events`);
    const gap = events.findIndex((event, i) => event.id !== i + 1);
    if (gap >= 0) broken.push(`P8: event ${gap + 1} has the id ${events[gap]!.id}`);
    const seen = this.seen.get(id);
    const wrong = seen?.findIndex((event, i) => event !== i + 1) ?? -1;
    if (wrong >= 0) broken.push(`P8: a stream saw ${seen!.slice(Math.max(0, wrong - 2), wrong + 2)}`);
    if (seen && seen.length !== events.length)
      broken.push(`P8: a stream saw ${seen.length} of ${events.length} events`);
    if (job.state === 'succeeded') broken.push(...(await this.#artifacts(id)));
    return broken;
  }

  async #events(id: string): Promise<Event[]> {
    const all: Event[] = [];
    for (;;) {
      const after = all.at(-1)?.id ?? 0;
      const page = (await (
        await fetch(`${this.#url}/v1/distillations/${id}/events?after=${after}`, {
          headers: { accept: 'application/json' },
        })
      ).json()) as EventPage;
      if (page.items.length === 0) return all;
      all.push(...page.items);
    }
  }

  async #artifacts(id: string): Promise<string[]> {
    const list = (await (
      await fetch(`${this.#url}/v1/distillations/${id}/artifacts`)
    ).json()) as ArtifactList;
    const names = list.items.map(({ name }) => name);
    const broken: string[] = [];
    if (!names.includes('student.onnx')) broken.push('P3: has no student.onnx');
    if (new Set(names).size !== names.length) broken.push(`P3: artifacts ${names}`);
    for (const { url, sha256, name } of list.items) {
      const bytes = new Uint8Array(await (await fetch(new URL(url, this.#url))).arrayBuffer());
      if (createHash('sha256').update(bytes).digest('hex') !== sha256)
        broken.push(`P3: ${name} does not match its hash`);
    }
    return broken;
  }
}

/** Reads one stream; true when it said that the job has ended. */
async function read(response: Response, ids: number[]): Promise<boolean> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const frame = text.slice(0, end);
      text = text.slice(end + 2);
      const id = /^id: ?(\d+)$/m.exec(frame)?.[1];
      if (id !== undefined) ids.push(Number(id));
      if (/^event: ?end$/m.test(frame)) return true;
    }
  }
  return false;
}
