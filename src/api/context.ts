import { Datasets } from '../service/files/datasets.ts';
import { Models } from '../service/files/models.ts';
import { Uploads } from '../service/files/uploads.ts';
import { Jobs } from '../service/jobs/jobs.ts';
import type { ApiDeps } from './deps.ts';
import type { EventStream } from './event-stream.ts';
import { Metrics } from './metrics.ts';
import { Slots } from './slots.ts';
import { defaultTimes, type Times } from './times.ts';

/** What routes and plugins work with. */
export interface ApiContext extends Omit<ApiDeps, 'times'> {
  readonly times: Times;
  /** `stopping` from the moment the server is told to close. */
  readonly lifecycle: { stopping: boolean };
  readonly streams: Set<EventStream>;
  /** Uploads that are being received. */
  readonly slots: Slots;
  readonly metrics: Metrics;
  readonly uploads: Uploads;
  readonly distillations: Jobs;
  readonly models: Models;
  readonly datasets: Datasets;
}

const DAY = 86_400_000;

export function createContext(deps: ApiDeps): ApiContext {
  const { config, jobs, blobs, clock, sandbox } = deps;
  const retainMs = config.RETORT_RETAIN_DAYS * DAY;
  const onTrouble = (error: unknown) => deps.log.error({ err: error }, 'work in the background failed');
  const streams = new Set<EventStream>();
  return {
    ...deps,
    times: { ...defaultTimes, ...deps.times },
    lifecycle: { stopping: false },
    streams,
    slots: new Slots('uploads'),
    metrics: new Metrics({ ...deps, streams }),
    uploads: new Uploads({ jobs, blobs, clock, retainMs: config.RETORT_RETAIN_STAGES_DAYS * DAY }),
    distillations: new Jobs({ ...deps, maxOpen: config.RETORT_MAX_OPEN_JOBS, onTrouble }),
    models: new Models({ jobs, clock, sandbox, retainMs }),
    datasets: new Datasets({ jobs, clock, sandbox, retainMs, onTrouble }),
  };
}
