import type { Distillation, Event } from '../../contract/distillation.ts';
import { catalogue } from '../../errors.ts';
import type { JobEvent } from '../../pipeline/ports.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import type { Fault } from '../../service/fault.ts';
import type { JobProgress, JobRecord } from '../../service/jobs/job.ts';

const time = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms));
const file = ({ name, hash, bytes }: Artifact) => ({ name, bytes, sha256: hash });

/** Where the parts of a distillation are found. */
export function distillationUrls(id: string): Distillation['urls'] {
  const self = `/v1/distillations/${id}`;
  const sub = (name: string): string => `${self}/${name}`;
  return {
    self,
    events: sub('events'),
    metrics: sub('metrics'),
    artifacts: sub('artifacts'),
    report: sub('report'),
    cancel: sub('cancel'),
    pause: sub('pause'),
    resume: sub('resume'),
    retry: sub('retry'),
  };
}

/** A job as its user sees it. */
export function distillationView(job: JobRecord): Distillation {
  const running = job.stages.find(({ state }) => state === 'started');
  return {
    id: job.id,
    state: job.state,
    createdAt: time(job.createdAt),
    startedAt: timeOrNull(job.startedAt),
    finishedAt: timeOrNull(job.finishedAt),
    expiresAt: timeOrNull(job.expiresAt),
    attempt: job.attempt,
    retryOf: job.retryOf,
    labels: job.options.labels,
    priority: job.options.priority,
    inputs: {
      teacher: file(job.inputs.teacher),
      companions: job.inputs.companions.map(file),
      data: job.inputs.data.map(file),
    },
    stage: running?.name ?? null,
    progress: job.progress && progressView(job.progress),
    stages: job.stages.map(({ name, state, milliseconds }) => ({
      name,
      state,
      seconds: milliseconds / 1000,
    })),
    error: job.error && faultView(job.error),
    spec: { requested: job.requested, resolved: job.resolved },
    urls: distillationUrls(job.id),
  };
}

const faultView = (fault: Fault) => ({
  ...fault,
  problems: [...fault.problems],
  retryable: catalogue[fault.code].retry === 'later',
});

export const progressView = ({ stage, done, total, etaMs }: JobProgress) => ({
  stage,
  done,
  total,
  share: total > 0 ? Math.min(1, done / total) : null,
  etaSeconds: etaMs === null ? null : etaMs / 1000,
});

export const eventView = ({ id, at, type, data }: JobEvent): Event => ({ id, at: time(at), type, data });
