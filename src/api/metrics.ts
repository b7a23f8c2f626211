import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobStore } from '../pipeline/ports.ts';
import { jobKey, jobStates } from '../service/jobs/job.ts';
import type { Dispatcher } from '../service/ports.ts';
import { everyRecord } from '../service/retention/every-record.ts';

export interface MetricsTools {
  readonly jobs: JobStore;
  readonly dispatcher: Dispatcher;
  readonly streams: { readonly size: number };
}

/** Counting jobs reads all of them, so it is done no more often. Milliseconds. */
const COUNT_EVERY = 15_000;

/** What Prometheus can ask for. Gauges are read from their sources when they are asked for. */
export class Metrics {
  readonly registry = new Registry();
  readonly #duration: Histogram<'method' | 'route' | 'status'>;
  readonly #uploaded: Counter;

  constructor({ jobs, dispatcher, streams }: MetricsTools) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#duration = new Histogram({
      name: 'retort_http_request_duration_seconds',
      help: 'Time from the headers of a request to the end of its response.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600],
      registers,
    });
    this.#uploaded = new Counter({
      name: 'retort_upload_bytes_total',
      help: 'Bytes of files that were stored from uploads.',
      registers,
    });
    new Gauge({
      name: 'retort_event_streams',
      help: 'Open event streams.',
      registers,
      collect() {
        this.set(streams.size);
      },
    });
    new Gauge({
      name: 'retort_queue_entries',
      help: 'Entries of the queue. Absent while the queue cannot be reached.',
      labelNames: ['state'],
      registers,
      async collect() {
        this.reset();
        const counts = await dispatcher.counts().catch(() => undefined);
        if (!counts) return;
        this.set({ state: 'waiting' }, counts.waiting);
        this.set({ state: 'active' }, counts.active);
      },
    });
    let countedAt = Number.NEGATIVE_INFINITY;
    new Gauge({
      name: 'retort_jobs',
      help: `Jobs by state, at most ${COUNT_EVERY / 1000} s old.`,
      labelNames: ['state'],
      registers,
      async collect() {
        if (performance.now() - countedAt < COUNT_EVERY) return;
        countedAt = performance.now();
        const counts: Record<string, number> = {};
        for await (const { state } of everyRecord(jobs, jobKey(''))) counts[state] = (counts[state] ?? 0) + 1;
        for (const state of jobStates) this.set({ state }, counts[state] ?? 0);
      },
    });
  }

  /** Counts an answered request under its route's pattern, never under its path. */
  observe(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    this.#duration.observe(labels, reply.elapsedTime / 1000);
  }

  uploaded(bytes: number): void {
    this.#uploaded.inc(bytes);
  }
}
